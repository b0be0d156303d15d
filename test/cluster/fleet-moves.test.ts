import { beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { until } from '../rig/until.ts';
import { type ClusterServer, describeCluster, serve } from './describe-cluster.ts';
import { MEMBERS, type NodeName } from './three-nodes.ts';

const LOG = '/root/fleet-log';
const MAY_END = '/root/fleet-may-end';
const { first, second, moving, third } = MEMBERS;
const rows = z.array(
  z.object({
    vmid: z.number(),
    status: z.string(),
    exit_code: z.number().nullable(),
    code: z.string().optional(),
    reason: z.string().optional(),
  }),
);

/** Settings under which the decision on a container names its node, and those under which it needs no attributes. */
const RULES = [
  ['with rules on attributes', {}],
  ['without', { POLICY: 'open' }],
] as const;

describeCluster('a command in several containers, one of which moves', (cluster) => {
  // The containers of the rig keep what the case before wrote.
  beforeEach(async () => {
    for (const vmid of [first, second, moving, third])
      await cluster.inContainer(vmid, `rm -f ${LOG} ${MAY_END}`);
  });

  const fleet = async (server: ClusterServer, command: string, more: Record<string, unknown> = {}) => {
    const vmids = [first, second, moving, third];
    const { data } = await server.call('exec_in_containers', { vmids, command, timeout: 60, ...more });
    return rows.parse(data.containers);
  };
  /** How often the command with this word ran in a container. */
  const runs = async (vmid: number, word: string) => {
    await until(() => cluster.isRunning(vmid));
    const { stdout } = await cluster.inContainer(vmid, `grep -c '^${word}$' ${LOG}; true`);
    return Number(stdout.trim() || '0');
  };
  const command = (word: string) => `echo ${word} >>${LOG}`;
  /** A command that leaves a line, and ends in the first container only when that is allowed. */
  const waiting = (word: string) =>
    `${command(word)}; until [ "$(hostname)" != first ] || [ -e ${MAY_END} ]; do sleep 0.1; done`;
  const mayEnd = () => cluster.inContainer(first, `touch ${MAY_END}`);
  const started = (word: string) => until(async () => (await runs(first, word)) === 1);
  const agree = async (found: z.output<typeof rows>, word: string) => {
    expect(found.map(({ vmid }) => vmid)).toEqual([first, second, moving, third]);
    for (const { vmid, status, exit_code, code, reason } of found) {
      const count = await runs(vmid, word);
      const row = JSON.stringify({ vmid, status, exit_code, code, reason });
      if (status === 'exited' && exit_code !== null) expect(count, row).toBe(1);
      else if (status === 'failed') {
        expect(count, row).toBe(0);
        expect(reason, row).toMatch(/node|migrat|lock|stopped|moved|changed/);
      } else expect(count, row).toBeLessThanOrEqual(1);
    }
  };

  test('runs on its new node if it has moved since it was selected', async () => {
    const server = await serve(cluster, ['pve1'], { TOOLSETS: 'core,fleet', POLICY: 'open' });
    // The first batch is container `first` alone.
    const call = fleet(server, waiting('moved'), { canary: true });
    await started('moved');
    await (await cluster.beginMigration(moving, 'pve3')).finish();
    await mayEnd();
    const found = await call;
    expect(found.find(({ vmid }) => vmid === moving)).toMatchObject({ status: 'exited', exit_code: 0 });
    expect(cluster.ownerOf(moving)).toBe('pve3');
    await agree(found, 'moved');
  });

  test('is not run in it if the decision was for another node, and its row says so', async () => {
    const server = await serve(cluster, ['pve1'], { TOOLSETS: 'core,fleet' });
    const call = fleet(server, waiting('decided'), { canary: true });
    await started('decided');
    await (await cluster.beginMigration(moving, 'pve3')).finish();
    await mayEnd();
    const found = await call;
    expect(found.find(({ vmid }) => vmid === moving)).toMatchObject({
      status: 'failed',
      code: 'TARGET_CHANGED',
      reason: expect.stringMatching(/node.*not executed/),
    });
    await agree(found, 'decided');
    expect((await fleet(server, command('again'))).map(({ status }) => status)).not.toContain('failed');
  });

  test.each(RULES)('is not run in it during its migration, and its row says so, %s', async (_name, env) => {
    const server = await serve(cluster, ['pve1'], { TOOLSETS: 'core,fleet', ...env });
    const call = fleet(server, waiting('during'), { canary: true });
    await started('during');
    const migration = await cluster.beginMigration(moving, 'pve3');
    await mayEnd();
    const found = await call;
    await migration.finish();
    expect(found.find(({ vmid }) => vmid === moving)).toMatchObject({
      status: 'failed',
      code: expect.stringMatching(/^(CONTAINER_LOCKED|CONTAINER_NOT_RUNNING)$/),
      reason: expect.stringMatching(/migrat/),
    });
    await agree(found, 'during');
  });

  test('agrees with its row at any moment of the migration', async () => {
    const server = await serve(cluster, ['pve1'], { TOOLSETS: 'core,fleet', POLICY: 'open' });
    await fleet(server, 'true');
    const ways: readonly NodeName[] = ['pve3', 'pve1', 'pve2', 'pve3', 'pve1', 'pve2'];
    for (const [index, to] of ways.entries()) {
      const words = [1, 2, 3, 4].map((part) => `any-${index}-${part}`);
      const calls = [fleet(server, command(words[0] ?? ''))];
      const migration = await cluster.beginMigration(moving, to);
      calls.push(fleet(server, command(words[1] ?? '')));
      await migration.move();
      calls.push(fleet(server, command(words[2] ?? '')));
      await migration.finish();
      calls.push(fleet(server, command(words[3] ?? '')));
      for (const [part, call] of calls.entries()) await agree(await call, words[part] ?? '');
    }
  });
});
