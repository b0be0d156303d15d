import * as z from 'zod';
import { table } from '../lib/columns.ts';
import type { ContainerSummary } from '../proxmox/proxmox-types.ts';
import { responseFormat } from './shared/params.ts';
import { defineTool } from './tool.ts';

const container = z.object({
  vmid: z.number(),
  status: z.enum(['running', 'stopped', 'unknown']),
  name: z.string(),
  lock: z.string().nullable(),
  node: z.string(),
  local: z.boolean(),
  template: z.boolean(),
  tags: z.array(z.string()),
});

export const listContainers = defineTool({
  name: 'proxmox_list_containers',
  title: 'List the containers',
  description:
    'List all LXC containers of the cluster: vmid, name, status, node, lock, tags. ' +
    'Call it first to find the vmid. Containers with local=false are on another node: only their status can be read.',
  toolset: 'core',
  effect: 'read',
  input: z.strictObject({ response_format: responseFormat('json') }),
  output: z.object({ containers: z.array(container) }),
  async run(input, ctx) {
    const containers = (await ctx.cluster.list(ctx.signal, ctx.precondition)).map(toItem);
    const text = input.response_format === 'json' ? jsonLines : listText;
    return { data: { containers }, text: (data) => text(data.containers) };
  },
});

type Item = z.output<typeof container>;

function toItem(summary: ContainerSummary): Item {
  const { vmid, status, name, lock, node, local, template, tags } = summary;
  return { vmid, status, name, lock, node, local, template, tags: [...tags] };
}

/** The JSON array with one container per line: as readable as indented JSON at a third of the size. */
function jsonLines(items: readonly Item[]): string {
  if (items.length === 0) return '[]';
  return `[\n${items.map((item) => `  ${JSON.stringify(item)}`).join(',\n')}\n]`;
}

function listText(items: readonly Item[]): string {
  if (items.length === 0) return 'There are no containers.';
  const rows = items.map((item) => [
    String(item.vmid),
    item.template ? 'template' : item.status,
    item.name,
    item.local ? item.node : `${item.node} (other node)`,
    item.lock ?? '-',
    item.tags.join(',') || '-',
  ]);
  return table([['VMID', 'STATUS', 'NAME', 'NODE', 'LOCK', 'TAGS'], ...rows]);
}
