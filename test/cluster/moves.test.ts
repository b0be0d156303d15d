import { expect, test } from 'vitest';
import { failureOf } from '../e2e/connect.ts';
import { describeCluster, serve } from './describe-cluster.ts';
import { MEMBERS, type NodeName } from './three-nodes.ts';

const LOG = '/root/log';

describeCluster('containers that move', (cluster) => {
  const move = async (vmid: number, to: NodeName) => (await cluster.beginMigration(vmid, to)).finish();

  test.each([
    ['with rules on attributes', {}],
    ['without', { POLICY: 'open' }],
  ])('are found after a move between two calls, and no command runs twice, %s', async (_name, env) => {
    const server = await serve(cluster, ['pve1'], env);
    await server.exec(MEMBERS.moving, `rm -f ${LOG}; echo pve2 >>${LOG}`);
    for (const to of ['pve3', 'pve1', 'pve2'] as const) {
      await move(MEMBERS.moving, to);
      expect(await server.exec(MEMBERS.moving, `echo ${to} >>${LOG}`)).toMatchObject({ exit_code: 0 });
    }
    expect((await server.exec(MEMBERS.moving, `cat ${LOG}; rm ${LOG}`)).stdout).toBe(
      'pve2\npve3\npve1\npve2\n',
    );
  });

  test('cause an error that names migration and lock during the migration, and work afterwards', async () => {
    const server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    const attempt = () => server.call('container_exec_command', { vmid: MEMBERS.moving, command: 'true' });
    const migration = await cluster.beginMigration(MEMBERS.moving, 'pve3');
    const expected = { code: 'CONTAINER_LOCKED', error: expect.stringMatching(/migrat.*lock: migrate/) };
    expect(failureOf(await attempt())).toMatchObject(expected);
    await migration.move();
    expect(failureOf(await attempt())).toMatchObject(expected);
    await migration.finish();
    expect((await attempt()).data.exit_code).toBe(0);
  });

  test('appear exactly once in lists during a migration', async () => {
    const server = await serve(cluster, ['pve1']);
    const seen: unknown[] = [];
    const look = async () => seen.push((await server.call('list_containers', {})).data.containers);
    for (const to of ['pve3', 'pve1', 'pve2'] as const) {
      const during = [look()];
      const migration = await cluster.beginMigration(MEMBERS.moving, to);
      during.push(look());
      await migration.move();
      during.push(look());
      await migration.finish();
      await Promise.all(during);
    }
    for (const containers of seen) {
      if (!Array.isArray(containers)) throw new Error('not a list');
      expect(containers.map(({ vmid }) => vmid).sort()).toEqual(Object.values(MEMBERS).sort());
      expect(containers.find(({ vmid }) => vmid === MEMBERS.second)).toMatchObject({
        status: 'running',
        node: 'pve2',
      });
    }
  });

  test('are followed to the node on which HA starts them', async () => {
    await cluster.manageByHa(MEMBERS.stopped, 'pve2');
    const server = await serve(cluster, ['pve1']);
    const { data, text } = await server.call('start_container', { vmid: MEMBERS.stopped });
    expect(data, text).toMatchObject({ success: true, changed: true });
    expect(cluster.ownerOf(MEMBERS.stopped)).toBe('pve2');
    expect(cluster.isRunning(MEMBERS.stopped)).toBe(true);
    expect((await server.exec(MEMBERS.stopped, 'hostname')).stdout).toBe('stopped\n');
    const stopped = await server.call('stop_container', { vmid: MEMBERS.stopped });
    expect(stopped.data, stopped.text).toMatchObject({ success: true });
    expect(cluster.isRunning(MEMBERS.stopped)).toBe(false);
  });
});
