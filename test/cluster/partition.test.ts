import { beforeEach, expect, test } from 'vitest';
import { failureOf } from '../e2e/connect.ts';
import { until } from '../rig/until.ts';
import { type ClusterServer, describeCluster, serve } from './describe-cluster.ts';
import { MEMBERS } from './three-nodes.ts';

/** A container as the list shows it. */
interface Listed {
  readonly vmid: number;
  readonly node: string;
  readonly status: string;
}

async function list(server: ClusterServer): Promise<readonly Listed[]> {
  const { data, text } = await server.call('list_containers', {});
  const { containers } = data;
  if (!Array.isArray(containers)) throw new Error(`not a list: ${text}`);
  return containers;
}

const statusOf = (containers: readonly Listed[], vmid: number) =>
  containers.find((each) => each.vmid === vmid)?.status;

describeCluster('a cluster in trouble', (cluster) => {
  /** A file of this test in which commands leave a line for each time that they run. */
  let mark = '';
  let serial = 0;
  beforeEach(() => {
    serial += 1;
    mark = `/root/marks-${serial}`;
  });
  const marks = async (vmid: number) =>
    (await cluster.inContainer(vmid, `cat ${mark}; rm -f ${mark}`)).stdout.split('\n').filter(Boolean);
  const exec = (server: ClusterServer, vmid: number, command: string) =>
    server.call('container_exec_command', { vmid, command });

  test('shows the containers of an isolated node as unknown, and uses the others', async () => {
    const server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    expect(statusOf(await list(server), MEMBERS.third)).toBe('running');
    const heal = await cluster.isolate('pve3');
    const during = await list(server);
    expect(during.map(({ vmid }) => vmid).sort()).toEqual(Object.values(MEMBERS).sort());
    expect(statusOf(during, MEMBERS.third)).toBe('unknown');
    expect(statusOf(during, MEMBERS.second)).toBe('running');
    expect((await server.exec(MEMBERS.second, 'hostname')).stdout).toBe('second\n');
    // Over the connection that is still open, or over a new one.
    const sent = performance.now();
    const { code, error } = failureOf(await exec(server, MEMBERS.third, 'true'));
    expect(['DISCONNECTED', 'SSH_UNREACHABLE']).toContain(code);
    expect(error).toContain('pve3');
    expect(performance.now() - sent).toBeLessThan(15_000);
    await heal();
    // It is left alone for a while after a failure.
    await until(
      async () => (await exec(server, MEMBERS.third, 'hostname')).data.stdout === 'third\n',
      90_000,
    );
    expect(statusOf(await list(server), MEMBERS.third)).toBe('running');
  }, 150_000);

  test('delays the list by at most 3 s for a hanging node', async () => {
    const server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    await list(server);
    const before = performance.now();
    await list(server);
    // What a busy machine adds.
    const load = 5 * (performance.now() - before);
    await cluster.isolate('pve3');
    const since = performance.now();
    const during = await list(server);
    expect(performance.now() - since).toBeLessThan(4_000 + load);
    expect(statusOf(during, MEMBERS.third)).toBe('unknown');
    expect(statusOf(during, MEMBERS.second)).toBe('running');
  });

  test('replaces a lost entry node within the same call', async () => {
    const server = await serve(cluster, ['pve1', 'pve2'], { POLICY: 'open' });
    expect((await server.exec(MEMBERS.third, `echo before >>${mark}`)).exit_code).toBe(0);
    await cluster.stopSsh('pve1');
    expect((await server.exec(MEMBERS.third, `echo after >>${mark}`)).exit_code).toBe(0);
    expect(await marks(MEMBERS.third)).toEqual(['before', 'after']);
    expect(statusOf(await list(server), MEMBERS.second)).toBe('running');
  });

  test('replaces an entry node that no longer answers', async () => {
    const server = await serve(cluster, ['pve1', 'pve2'], { POLICY: 'open' });
    await list(server);
    await cluster.isolate('pve1');
    const during = await list(server);
    expect(statusOf(during, MEMBERS.second)).toBe('running');
    expect(statusOf(during, MEMBERS.first)).toBe('unknown');
    expect((await server.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
  });

  test('starts without the first entry node', async () => {
    await cluster.stopSsh('pve1');
    const server = await serve(cluster, ['pve1', 'pve2'], { POLICY: 'open' });
    expect((await server.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
    expect(failureOf(await exec(server, MEMBERS.first, 'true')).error).toContain('pve1');
  });

  test('reports a connection lost during a command, and never runs the command twice', async () => {
    const server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    await server.exec(MEMBERS.second, 'true');
    const running = exec(server, MEMBERS.second, `echo ran >>${mark}; sleep 20; echo ended >>${mark}`);
    await until(async () => (await cluster.inContainer(MEMBERS.second, `cat ${mark}`)).stdout === 'ran\n');
    cluster.dropConnections('pve2');
    const { data } = await running;
    expect(data).toMatchObject({ success: false });
    expect((await server.exec(MEMBERS.second, 'hostname')).stdout).toBe('second\n');
    expect((await marks(MEMBERS.second)).filter((line) => line === 'ran')).toHaveLength(1);
  });

  test('runs the next call once after a connection was lost between two calls', async () => {
    const server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    for (const round of ['1', '2', '3']) {
      expect((await server.exec(MEMBERS.second, `echo ${round} >>${mark}`)).exit_code).toBe(0);
      cluster.dropConnections('pve2');
    }
    expect(await marks(MEMBERS.second)).toEqual(['1', '2', '3']);
  });

  test('refuses a node whose host key differs from the one of the cluster', async () => {
    await cluster.presentOtherHostKey('pve3');
    const server = await serve(cluster, ['pve1'], { POLICY: 'open', SSH_HOST_KEY_POLICY: 'accept-new' });
    expect(failureOf(await exec(server, MEMBERS.third, `echo ran >>${mark}`))).toMatchObject({
      code: 'HOST_KEY_CHANGED',
      error: expect.stringContaining('pve3'),
    });
    expect(await marks(MEMBERS.third)).toEqual([]);
    expect((await server.exec(MEMBERS.second, 'hostname')).stdout).toBe('second\n');
  });

  test('reports a login that one node refuses for its containers, and uses the others', async () => {
    await cluster.refuseLogins('pve3');
    const server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    expect(failureOf(await exec(server, MEMBERS.third, 'true'))).toMatchObject({
      code: 'SSH_AUTH_FAILED',
      error: expect.stringContaining('pve3'),
    });
    expect((await server.exec(MEMBERS.second, 'hostname')).stdout).toBe('second\n');
    const listed = await list(server);
    expect(statusOf(listed, MEMBERS.second)).toBe('running');
    expect(listed).toHaveLength(5);
  });

  test('reaches a node through the entry node only', async () => {
    await cluster.hideFromOutside('pve3');
    const server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    expect((await server.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
  });

  test('reads and runs commands without quorum, and fails changes at once', async () => {
    const server = await serve(cluster, ['pve1']);
    await cluster.loseQuorum();
    expect(statusOf(await list(server), MEMBERS.third)).toBe('running');
    expect((await server.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
    const failure = failureOf(await server.call('start_container', { vmid: MEMBERS.stopped }));
    expect(failure.error).toMatch(/cluster not ready|quorum/);
    expect(cluster.isRunning(MEMBERS.stopped)).toBe(false);
  });

  test('reports a hanging cluster file system of the entry node, and still runs commands', async () => {
    const server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    await server.call('list_containers', {});
    await cluster.hangPmxcfs('pve1');
    const since = performance.now();
    expect(failureOf(await server.call('list_containers', {}))).toMatchObject({ code: 'PMXCFS_UNAVAILABLE' });
    expect(performance.now() - since).toBeLessThan(10_000);
    expect((await server.exec(MEMBERS.first, 'hostname')).stdout).toBe('first\n');
    expect((await server.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
  });

  test('lists through a second entry node', async () => {
    const server = await serve(cluster, ['pve1', 'pve2'], { POLICY: 'open' });
    await list(server);
    await cluster.hangPmxcfs('pve1');
    expect(statusOf(await list(server), MEMBERS.third)).toBe('running');
  });
});
