import * as z from 'zod';
import { table } from '../lib/columns.ts';
import { formatDuration } from '../lib/duration.ts';
import type { ContainerStatus } from '../proxmox/proxmox-types.ts';
import { formatUsage, reply } from './shared/format.ts';
import { containerInput, responseFormat } from './shared/params.ts';
import { defineContainerTool } from './tool.ts';

const output = z.object({
  status: z.enum(['running', 'stopped', 'unknown']),
  vmid: z.number(),
  name: z.string(),
  node: z.string(),
  local: z.boolean(),
  lock: z.string().nullable(),
  frozen: z.boolean(),
  template: z.boolean(),
  tags: z.array(z.string()),
  reason: z.string().optional(),
  usage_age_s: z.number().nullable(),
  uptime_s: z.number().nullable(),
  cpu: z.number().nullable(),
  cpus: z.number().nullable(),
  memory_bytes: z.number().nullable(),
  memory_max_bytes: z.number().nullable(),
  disk_bytes: z.number().nullable(),
  disk_max_bytes: z.number().nullable(),
});

export const containerStatus = defineContainerTool({
  name: 'proxmox_container_status',
  title: 'Status of a container',
  description:
    'Get the status of one LXC container: running, stopped or frozen, node, lock, uptime, CPU, memory and disk usage. ' +
    'Usage is up to 10 s old; cpu is 0 to 1 across all its cores. Use it when a command in it fails. Starting and stopping need no prior check.',
  toolset: 'core',
  effect: 'read',
  input: containerInput({ response_format: responseFormat('json') }),
  output,
  async run(input, ctx) {
    const status = await ctx.container.status(ctx.signal);
    return reply(toData(status), input.response_format, statusText);
  },
});

type Data = z.output<typeof output>;

function toData(status: ContainerStatus): Data {
  const { usage } = status;
  return {
    status: status.status,
    vmid: status.vmid,
    name: status.name,
    node: status.node,
    local: status.local,
    lock: status.lock,
    frozen: status.frozen,
    template: status.template,
    tags: [...status.tags],
    ...(status.reason === undefined ? {} : { reason: status.reason }),
    usage_age_s: usage?.age_s ?? null,
    uptime_s: usage?.uptime_s ?? null,
    cpu: usage?.cpu ?? null,
    cpus: usage?.cpus ?? null,
    memory_bytes: usage?.memory_bytes ?? null,
    memory_max_bytes: usage?.memory_max_bytes ?? null,
    disk_bytes: usage?.disk_bytes ?? null,
    disk_max_bytes: usage?.disk_max_bytes ?? null,
  };
}

function statusText(data: Data): string {
  const rows: [string, string | null][] = [
    ['Container', `${data.vmid} (${data.name})`],
    ['Status', `${data.status}${data.frozen ? ', frozen' : ''}${data.template ? ', a template' : ''}`],
    ['Reason', data.reason ?? null],
    ['Node', data.node],
    ['Lock', data.lock],
    ['Tags', data.tags.join(', ') || null],
    ['Uptime', data.uptime_s === null ? null : formatDuration(data.uptime_s * 1000)],
    ['CPU', cpuText(data)],
    ['Memory', formatUsage(data.memory_bytes, data.memory_max_bytes)],
    ['Disk', formatUsage(data.disk_bytes, data.disk_max_bytes)],
  ];
  return table(rows.flatMap(([label, value]) => (value === null ? [] : [[`${label}:`, value]])));
}

function cpuText(data: Data): string | null {
  if (data.cpu === null) return null;
  const share = `${(data.cpu * 100).toFixed(1)} %`;
  return data.cpus === null ? share : `${share} of ${data.cpus} ${data.cpus === 1 ? 'core' : 'cores'}`;
}
