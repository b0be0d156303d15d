import { readFile } from 'node:fs/promises';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { beforeAll, describe, expect, test } from 'vitest';
import { isToolSnapshotCurrent, TOOL_SNAPSHOT } from '../../scripts/gen/tools.ts';
import { TOOLSETS, type Toolset } from '../../src/lib/toolsets.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { ERAS, type ListedTool } from './client.ts';
import { connectWithoutNode } from './fixtures.ts';

/** The tools whose result is text of a container, which is sent once. */
const TEXT_ONLY = TOOLS.filter(({ textOnly }) => textOnly === true).map(({ name }) => name);
const NAMES = TOOLS.map(({ name }) => name);

async function listOnce(env: Record<string, string> = {}): Promise<ListedTool[]> {
  const client = await connectWithoutNode('modern', env);
  try {
    return await client.listTools();
  } finally {
    await client.close();
  }
}

describe.each(ERAS)('tools/list, %s', (era) => {
  test('returns all tools in order, without a node', async () => {
    const client = await connectWithoutNode(era);
    try {
      const tools = await client.listTools();
      expect(tools.map((tool) => tool.name)).toEqual(NAMES);
      const committed: unknown = JSON.parse(await readFile(TOOL_SNAPSHOT, 'utf8'));
      expect(tools).toEqual(committed);
    } finally {
      await client.close();
    }
  });
});

test('the committed snapshot of the interface is current (node --import tsx scripts/gen/tools.ts --write)', async () => {
  expect(await isToolSnapshotCurrent()).toBe(true);
});

describe('the token cost of tools/list', () => {
  let tools: ListedTool[];
  beforeAll(async () => {
    tools = await listOnce();
  });

  /** Tokens of the tools of some toolsets. */
  function tokens(toolsets: readonly Toolset[], pick: (tool: ListedTool) => object): number {
    const names = TOOLS.filter(({ toolset }) => toolsets.includes(toolset)).map(({ name }) => name);
    return tools
      .filter(({ name }) => names.includes(name))
      .reduce((sum, tool) => sum + encode(JSON.stringify(pick(tool))).length, 0);
  }
  const input = ({ name, description, inputSchema }: ListedTool) => ({ name, description, inputSchema });

  test('is at most 4,500 for names, descriptions and input schemas, and 600 for jobs', () => {
    const price = tokens(['core', 'inspect', 'fleet', 'files'], input);
    expect(price).toBeLessThanOrEqual(4500);
    // A much lower number would mean that the count is wrong.
    expect(price).toBeGreaterThan(1000);
    expect(tokens(['jobs'], input)).toBeLessThanOrEqual(600);
  });

  test('is at most 2,200 for the core tools', () => {
    expect(tokens(['core'], input)).toBeLessThanOrEqual(2200);
  });

  test('is at most 4,600 for output schemas', () => {
    const price = tokens(TOOLSETS, ({ outputSchema = {} }) => outputSchema);
    expect(price).toBeLessThanOrEqual(4600);
    expect(price).toBeGreaterThan(500);
  });
});

test('uses schemas that lenient and strict clients accept', async () => {
  for (const tool of await listOnce()) {
    expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(tool.outputSchema?.type).toBe(TEXT_ONLY.includes(tool.name) ? undefined : 'object');
    // As a required field or a closed list, it would fail the check in clients that validate failures, too.
    expect(tool.outputSchema ?? {}).not.toHaveProperty('required');
    expect(JSON.stringify(tool.outputSchema ?? {})).not.toContain('additionalProperties');
    // One type each: otherwise `--strict` of the inspector warns.
    expect(JSON.stringify(tool)).not.toContain('"type":[');
  }
});

test('lists only read tools with READ_ONLY, without those that return contents of containers', async () => {
  const tools = await listOnce({ READ_ONLY: 'true', ENABLE_HOST_EXEC: 'true' });
  const reading = TOOLS.filter(({ effect, discloses }) => effect === 'read' && discloses !== true).map(
    ({ name }) => name,
  );
  expect(reading).toContain('proxmox_list_containers');
  expect(tools.map((tool) => tool.name)).toEqual(reading);
  expect(tools.every((tool) => tool.annotations.readOnlyHint === true)).toBe(true);
});

test('TOOLSETS lists only the tools of its groups, and the others cannot be called', async () => {
  const client = await connectWithoutNode('modern', { TOOLSETS: 'inspect, jobs' });
  try {
    const names = (await client.listTools()).map((tool) => tool.name);
    expect(names).toEqual(
      TOOLS.filter(({ toolset }) => toolset === 'inspect' || toolset === 'jobs').map(({ name }) => name),
    );
    const result = await client.callTool('proxmox_list_containers', {});
    expect(result.data).toMatchObject({ success: false, code: 'TOOL_DISABLED' });
  } finally {
    await client.close();
  }
});
