import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { Simulator } from '../../src/simulator/simulator.ts';
import { inspectionData } from '../../src/tools/shared/inspection-output.ts';
import { connectClient, type TestClient } from '../mcp/client.ts';
import { until } from '../rig/until.ts';

const COUNT = 200;
const VMIDS = Array.from({ length: COUNT }, (_, index) => 1000 + index);
/** Its containers print a lot. */
const LOUD = new Set([1007, 1093]);
/** Its disk is small, and gets full. */
const SMALL = 1002;

let simulator: Simulator;
let client: TestClient;

beforeAll(async () => {
  simulator = await Simulator.start({
    scenario: {
      nodes: {
        pve1: {
          containers: Object.fromEntries(
            VMIDS.map((vmid) => [
              vmid,
              {
                name: `ct${vmid}`,
                flavour: 'alpine' as const,
                tags: vmid % 2 === 0 ? ['even'] : ['odd'],
                ...(vmid === SMALL ? { disk: { size: 64 * 1024 ** 2 } } : {}),
              },
            ]),
          ),
        },
      },
    },
  });
  const { host, port, keyPath, knownHostsPath } = simulator.node().connection;
  client = await connectClient({
    env: {
      I_ACCEPT_RISKS: 'true',
      HOST: host,
      SSH_PORT: String(port),
      SSH_KEY: keyPath,
      SSH_KNOWN_HOSTS: knownHostsPath,
      SSH_HOST_KEY_POLICY: 'strict',
    },
  });
});
afterAll(async () => {
  await client.close();
  await simulator.stop();
});

const shape = z.object({
  success: z.boolean(),
  containers: z.array(
    z.object({ vmid: z.number(), exit_code: z.number().nullable(), code: z.string().optional() }),
  ),
  outputs: z.array(
    z.object({
      vmids: z.array(z.number()),
      stdout: z.string(),
      truncated: z.boolean(),
      diff: z.object({ stdout: z.string() }).optional(),
    }),
  ),
});
const run = async (args: Record<string, unknown>) => {
  const { data, text } = await client.callTool('proxmox_exec_in_containers', args);
  return { ...shape.parse(data), text };
};

test('returns a row for each of 200 containers and equal outputs once, and keeps the short outputs despite two floods', async () => {
  const loud = [...LOUD].map((vmid) => `ct${vmid}`).join('|');
  const command = `case $(hostname) in ${loud}) seq 30000;; *) echo ok;; esac`;
  const result = await run({ name: 'ct*', command });
  expect(result.containers.map(({ vmid }) => vmid)).toEqual(VMIDS);
  expect(result.containers.every(({ exit_code }) => exit_code === 0)).toBe(true);
  expect(result.outputs.map(({ vmids, truncated }) => [vmids.length, truncated])).toEqual([
    [COUNT - LOUD.size, false],
    [LOUD.size, true],
  ]);
  expect(result.text.length).toBeLessThan(25_000 + 5_000);
});

test('keeps 200 different outputs within the limit', async () => {
  const command = 'for i in $(seq 200); do echo "$(hostname) $i"; done';
  const result = await run({ tags: ['even', 'odd'], command, max_output: 20_000 });
  expect(result.outputs).toHaveLength(COUNT);
  const lengths = result.outputs.map(({ stdout }) => stdout.length);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(20_000);
  expect(Math.min(...lengths)).toBeGreaterThan(90);
});

test('shows of 200 similar outputs one, and the differences of the others, within the limit', async () => {
  const result = await run({ tags: ['even', 'odd'], command: 'hostname; seq 500', max_output: 20_000 });
  expect(result.outputs).toHaveLength(COUNT);
  const [first, ...others] = result.outputs;
  expect(first?.stdout).toContain('499');
  expect(others.every(({ stdout, diff }) => stdout === '' && diff?.stdout.includes('ct') === true)).toBe(
    true,
  );
  const lengths = result.outputs.map(({ stdout, diff }) => stdout.length + (diff?.stdout.length ?? 0));
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(20_000);
});

test('runs at most eight commands at a time on a node', async () => {
  // Each waits for its file, because on a busy machine the first would end before the eighth begins.
  const command = 'until [ -e /tmp/may-end ]; do sleep 0.1; done';
  let isDone = false;
  const call = run({ tags: ['even'], except: VMIDS.slice(60), command }).finally(() => {
    isDone = true;
  });
  const running = () => {
    const found = simulator.node().processes('may-end');
    return new Set(found.flatMap(({ vmid }) => vmid ?? [])).size;
  };
  await until(() => running() === 8);
  await sleep(500);
  expect(running()).toBe(8);
  for (const vmid of VMIDS.slice(0, 60)) simulator.container(vmid).write('/tmp/may-end', '');
  const counts: number[] = [];
  await until(() => {
    counts.push(running());
    return isDone;
  });
  expect(Math.max(...counts)).toBeLessThanOrEqual(8);
  expect((await call).containers).toHaveLength(30);
});

test('200 containers are inspected in one round trip, within the character limit; a frozen one delays none', async () => {
  simulator.container(1050).freeze();
  const { data, text, isError } = await client.callTool('proxmox_inspect_containers', {
    sections: ['memory', 'network'],
  });
  simulator.container(1050).thaw();
  expect(isError, text).toBe(false);
  const report = inspectionData.parse(data);
  expect(JSON.stringify(data).length).toBeLessThanOrEqual(25_000);
  expect([...report.containers.map(({ vmid }) => vmid), ...(report.left_out ?? [])].sort()).toEqual(VMIDS);
  expect(report.skipped).toEqual([]);
  expect(
    report.containers.filter(({ problems }) => problems.includes('frozen')).map(({ vmid }) => vmid),
  ).toEqual([1050]);
  // Details of those with problems first.
  expect(report.containers.find(({ vmid }) => vmid === 1050)).toMatchObject({ memory: {}, network: {} });
  expect(report.containers[0]?.left_out).toEqual(['memory', 'network']);
  expect(text).toMatch(
    /^The structured data is limited to 25000 characters: .*\. For all of it, call again with fewer vmids or sections\.$/m,
  );
  expect(text.length).toBeLessThanOrEqual(25_000);
  // Those with problems come first.
  expect(text).toMatch(/^VMID.*\n1050 /m);
}, 240_000);

test('the largest files are listed only for those of many containers whose disk is full', async () => {
  const vmids = [1001, SMALL, 1003];
  const inspect = async (selected: readonly number[]) => {
    const { data } = await client.callTool('proxmox_inspect_containers', {
      vmids: selected,
      sections: ['disk'],
    });
    return inspectionData.parse(data).containers.map(({ disk }) => disk?.largest_files !== undefined);
  };
  const full = await client.callTool('proxmox_container_exec_command', {
    vmid: SMALL,
    command: 'head -c 100000000 /dev/zero >/root/large',
  });
  expect(full.text).toContain('No space left on device');
  expect(await inspect(vmids)).toEqual([false, true, false]);
  expect(await inspect([1001])).toEqual([true]);
});
