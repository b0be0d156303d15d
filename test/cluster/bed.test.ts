import { expect, test } from 'vitest';
import { describeCluster } from './describe-cluster.ts';
import { runOn } from './ssh-client.ts';
import { MEMBERS, NODE_NAMES } from './three-nodes.ts';

describeCluster('the cluster itself', (cluster) => {
  const login = (node: (typeof NODE_NAMES)[number]) => {
    const { HOST = '', SSH_PORT, SSH_KEY = '' } = cluster.settings([node]);
    return { host: HOST, port: Number(SSH_PORT), keyPath: SSH_KEY };
  };
  const quorate = async (node: (typeof NODE_NAMES)[number]) =>
    JSON.parse((await cluster.onNode(node, 'cat /etc/pve/.members')).stdout).cluster.quorate;

  test('three nodes share /etc/pve, and each runs its own containers', async () => {
    for (const node of NODE_NAMES) {
      expect((await runOn(login(node), 'hostname')).stdout).toBe(`${node}\n`);
      const { stdout } = await runOn(login(node), 'cat /etc/pve/.vmlist');
      expect(JSON.parse(stdout).ids).toMatchObject({
        [MEMBERS.first]: { node: 'pve1', type: 'lxc' },
        [MEMBERS.second]: { node: 'pve2' },
        [MEMBERS.third]: { node: 'pve3' },
      });
    }
    expect((await runOn(login('pve2'), `lxc-attach -n ${MEMBERS.second} -- hostname`)).stdout).toBe(
      'second\n',
    );
    expect((await runOn(login('pve1'), `lxc-attach -n ${MEMBERS.second} -- hostname`)).code).not.toBe(0);
    expect((await runOn(login('pve1'), `pct stop ${MEMBERS.second}`)).stderr).toBe(
      `CT ${MEMBERS.second} not running\n`,
    );
    expect(cluster.isRunning(MEMBERS.second)).toBe(true);
    expect(cluster.isRunning(MEMBERS.stopped)).toBe(false);
    await cluster.onNode('pve1', 'echo x >/etc/pve/ha/note');
    expect((await cluster.onNode('pve3', 'cat /etc/pve/ha/note; rm /etc/pve/ha/note')).stdout).toBe('x\n');
  });

  test('an isolated node does not answer, is shown as offline, and cannot write', async () => {
    const undo = await cluster.isolate('pve3');
    await expect(runOn(login('pve3'), 'true')).rejects.toThrow(/Timed out|timeout/i);
    expect([await quorate('pve1'), await quorate('pve3')]).toEqual([1, 0]);
    expect((await cluster.onNode('pve1', 'cat /etc/pve/.members')).stdout).toMatch(
      /"pve3": \{ "id": 3, "online": 0/,
    );
    expect((await cluster.onNode('pve3', 'echo x >/etc/pve/x')).code).not.toBe(0);
    expect((await cluster.onNode('pve3', `pct start ${MEMBERS.stopped}`)).stderr).toBe(
      'cluster not ready - no quorum?\n',
    );
    await undo();
    expect((await runOn(login('pve3'), 'hostname')).stdout).toBe('pve3\n');
    expect(await quorate('pve3')).toBe(1);
  });

  test('sshd stops, refuses keys, and drops connections while commands continue', async () => {
    const start = await cluster.stopSsh('pve2');
    await expect(runOn(login('pve2'), 'true')).rejects.toThrow('ECONNREFUSED');
    await start();
    const accept = await cluster.refuseLogins('pve2');
    await expect(runOn(login('pve2'), 'true')).rejects.toThrow('authentication');
    await accept();
    const lost = runOn(login('pve2'), 'echo begun >/tmp/begun; sleep 3.7').catch(String);
    await expect.poll(async () => (await cluster.onNode('pve2', 'cat /tmp/begun')).code).toBe(0);
    cluster.dropConnections('pve2');
    await lost;
    expect(cluster.processes('pve2', 'sleep 3.7').length).toBeGreaterThan(0);
    await cluster.onNode('pve2', 'rm /tmp/begun');
    expect((await runOn(login('pve2'), 'hostname')).stdout).toBe('pve2\n');
  });

  test('the cluster file system of one node hangs', async () => {
    const undo = await cluster.hangPmxcfs('pve2');
    const reading = cluster.onNode('pve2', 'cat /etc/pve/storage.cfg >/dev/null; echo read');
    const elsewhere = await cluster.onNode('pve1', 'cat /etc/pve/.vmlist');
    expect(elsewhere.stdout).toContain('pve2');
    expect(await Promise.race([reading, cluster.onNode('pve2', 'sleep 0.3; echo waited')])).toMatchObject({
      stdout: 'waited\n',
    });
    await undo();
    expect((await reading).stdout).toBe('read\n');
  });

  test('a container moves', async () => {
    await cluster.inContainer(MEMBERS.moving, 'echo here >/root/here');
    const migration = await cluster.beginMigration(MEMBERS.moving, 'pve3');
    const conf = (node: string) =>
      cluster.onNode('pve1', `cat /etc/pve/nodes/${node}/lxc/${MEMBERS.moving}.conf`);
    expect((await conf('pve2')).stdout).toContain('lock: migrate');
    expect(cluster.isRunning(MEMBERS.moving)).toBe(false);
    await migration.move();
    expect((await conf('pve2')).code).not.toBe(0);
    expect((await conf('pve3')).stdout).toContain('lock: migrate');
    await migration.finish();
    expect((await conf('pve3')).stdout).not.toContain('lock');
    expect(
      (await runOn(login('pve3'), `lxc-attach -n ${MEMBERS.moving} -- cat /root/here; rm -f /root/here`))
        .stdout,
    ).toBe('here\n');
    expect((await cluster.onNode('pve1', 'cat /etc/pve/.vmlist')).stdout).toMatch(
      new RegExp(`"${MEMBERS.moving}": \\{ "node": "pve3"`),
    );
  });

  test('HA starts a container on another node some time after pct has requested it', async () => {
    await cluster.manageByHa(MEMBERS.stopped, 'pve2');
    expect(await cluster.onNode('pve3', `pct start ${MEMBERS.stopped}`)).toMatchObject({
      code: 0,
      stdout: `Requesting HA start for CT ${MEMBERS.stopped}\n`,
    });
    await expect.poll(() => cluster.isRunning(MEMBERS.stopped)).toBe(true);
    expect(cluster.ownerOf(MEMBERS.stopped)).toBe('pve2');
  });
});
