import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { connect, forward, run, runOn } from './ssh-client.ts';
import { MEMBERS, NODE_NAMES, type NodeName, THREE_NODES } from './three-nodes.ts';

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start({ scenario: THREE_NODES });
});
afterEach(() => simulator.stop());

const login = (node: NodeName) => simulator.node(node).connection;
const on = (node: NodeName, line: string) => runOn(login(node), line);
const members = async (node: NodeName) => JSON.parse((await on(node, 'cat /etc/pve/.members')).stdout);

describe('three simulated nodes', () => {
  test('share a port, and have separate addresses and host keys, which are published to each other', async () => {
    expect(new Set(NODE_NAMES.map((node) => login(node).port)).size).toBe(1);
    const { nodelist, cluster } = await members('pve1');
    expect(cluster).toMatchObject({ nodes: 3, quorate: 1 });
    for (const node of NODE_NAMES) {
      expect(nodelist[node]).toMatchObject({ online: 1, ip: login(node).host });
      expect((await on(node, 'hostname')).stdout).toBe(`${node}\n`);
      const [, type, key] = login(node).knownHostsLine.split(' ');
      const published = await on('pve2', `cat /etc/pve/nodes/${node}/ssh_known_hosts`);
      expect(published.stdout).toBe(`${node} ${type} ${key}\n`);
    }
    expect(new Set(NODE_NAMES.map((node) => login(node).knownHostsLine)).size).toBe(3);
    expect((await on('pve3', 'cat /etc/pve/corosync.conf')).stdout).toContain(
      `ring0_addr: ${login('pve2').host}`,
    );
  });

  test('share the files of /etc/pve, and have separate processes', async () => {
    await on('pve2', 'echo "ct: 9111" >/etc/pve/ha/resources.cfg');
    expect((await on('pve3', 'cat /etc/pve/ha/resources.cfg')).stdout).toBe('ct: 9111\n');
    expect((await on('pve3', 'readlink /etc/pve/local')).stdout).toBe('nodes/pve3\n');
    const sockets = 'grep -o "lxc/[0-9]*/command" /proc/net/unix';
    expect((await on('pve2', sockets)).stdout).toBe('lxc/9109/command\nlxc/9110/command\n');
    expect((await on('pve1', 'pct status 9109')).stderr).toContain(
      "'nodes/pve1/lxc/9109.conf' does not exist",
    );
    // As the real pct reports it.
    expect((await on('pve1', 'pct stop 9109')).stderr).toBe('CT 9109 not running\n');
    expect(simulator.container(MEMBERS.second).running).toBe(true);
  });

  test('accept forwarded connections from each other unless they are offline', async () => {
    simulator.node('pve3').hangOutside();
    const entry = await connect(login('pve1'));
    const inner = await connect(login('pve3'), await forward(entry, login('pve3').host, login('pve3').port));
    expect((await run(inner, 'hostname')).stdout).toBe('pve3\n');
    await simulator.node('pve2').goOffline();
    await expect(forward(entry, login('pve2').host, login('pve2').port)).rejects.toThrow();
    expect((await members('pve1')).nodelist.pve2).toMatchObject({ online: 0 });
    await simulator.node('pve2').comeBack();
    expect((await members('pve1')).nodelist.pve2).toMatchObject({ online: 1 });
    entry.end();
  });

  test('lose quorum when a link is cut: a node without quorum cannot write and sees no changes', async () => {
    simulator.cut('pve1', 'pve3');
    simulator.cut('pve2', 'pve3');
    expect(await members('pve3')).toMatchObject({
      cluster: { quorate: 0 },
      nodelist: { pve1: { online: 0 } },
    });
    expect(await members('pve1')).toMatchObject({
      cluster: { quorate: 1 },
      nodelist: { pve3: { online: 0 } },
    });
    expect(await on('pve3', 'pct start 9112')).toMatchObject({
      code: 255,
      stderr: 'cluster not ready - no quorum?\n',
    });
    expect((await on('pve3', 'echo x >/etc/pve/x')).stderr).toContain('Permission denied');
    expect((await on('pve3', 'mkdir /etc/pve/x')).stderr).toContain('Permission denied');
    expect((await on('pve3', 'pct set 9111 --tags x')).stderr).toMatch(
      /^unable to open file .*Permission denied/,
    );
    expect((await on('pve3', 'pct stop 9111')).code).toBe(0);
    await on('pve1', 'mv /etc/pve/nodes/pve2/lxc/9110.conf /etc/pve/nodes/pve1/lxc/');
    expect((await on('pve1', 'cat /etc/pve/.vmlist')).stdout).toContain('"9110": { "node": "pve1"');
    expect((await on('pve3', 'cat /etc/pve/.vmlist')).stdout).toContain('"9110": { "node": "pve2"');

    const entry = await connect(login('pve1'));
    let forwarded = false;
    const stream = forward(entry, login('pve3').host, login('pve3').port).then(() => {
      forwarded = true;
    });
    await run(entry, 'true');
    expect(forwarded).toBe(false);
    simulator.cut('pve1', 'pve3', false);
    simulator.cut('pve2', 'pve3', false);
    await stream;
    expect((await on('pve3', 'cat /etc/pve/.vmlist')).stdout).toContain('"9110": { "node": "pve1"');
    expect((await on('pve3', 'pct start 9112')).code).toBe(0);
    entry.end();
  });

  test('lose quorum on both sides when two of three cannot reach each other', async () => {
    simulator.cut('pve1', 'pve2');
    await simulator.node('pve3').goOffline();
    for (const node of ['pve1', 'pve2'] as const) expect((await members(node)).cluster.quorate).toBe(0);
  });

  test('migrate a container: stop and lock it, move its configuration at once, then start it', async () => {
    const conf = async (node: NodeName) =>
      (await on('pve1', `cat /etc/pve/nodes/${node}/lxc/9110.conf`)).stdout;
    simulator.container(MEMBERS.moving).write('/srv/here', 'x');
    const version = async () => JSON.parse((await on('pve1', 'cat /etc/pve/.version')).stdout).vmlist;
    const before = await version();
    const migration = simulator.beginMigration(MEMBERS.moving, 'pve3');
    expect(await conf('pve2')).toContain('lock: migrate');
    expect((await on('pve2', 'pct status 9110')).stdout).toBe('status: stopped\n');
    migration.move();
    expect(await conf('pve2')).toBe('');
    expect(await conf('pve3')).toContain('lock: migrate');
    expect((await on('pve3', 'pct start 9110')).stderr).toBe('CT is locked (migrate)\n');
    migration.finish();
    expect(await conf('pve3')).not.toContain('lock');
    expect((await on('pve3', 'lxc-attach -n 9110 -- cat /srv/here')).stdout).toBe('x');
    expect((await on('pve2', 'lxc-attach -n 9110 -- true')).code).toBe(1);
    expect(
      (await on('pve3', "lxc-attach -n 9110 -- sh -c 'test -d /proc/$$ && ps | grep -c [i]nit'")).stdout,
    ).toBe('1\n');
    const group = `cat /sys/fs/cgroup/lxc/${MEMBERS.moving}/memory.max`;
    expect([(await on('pve3', group)).code, (await on('pve2', group)).code]).toEqual([0, 1]);
    expect(await version()).toBeGreaterThan(before);
    simulator.beginMigration(MEMBERS.moving, 'pve1').abort();
    expect((await on('pve3', 'pct status 9110')).stdout).toBe('status: running\n');
  });

  test('support pct migrate', async () => {
    expect((await on('pve2', 'pct migrate 9110 pve1')).stderr).toContain("can't migrate running container");
    expect((await on('pve2', 'pct migrate 9110 pve2')).stderr).toContain('target is local node');
    expect((await on('pve2', 'pct migrate 9110 pve1 --restart 1')).stdout).toMatch(
      /shutdown CT 9110\n.*starting migration of CT 9110 to node 'pve1'[\s\S]*migration finished successfully/,
    );
    expect(simulator.ownerOf(MEMBERS.moving)).toBe('pve1');
    expect(simulator.container(MEMBERS.moving).running).toBe(true);
  });

  test('start a container on another node by HA, some time after pct has requested it', async () => {
    await on('pve1', `printf 'ct: 9112\\n\\tstate stopped\\n' >/etc/pve/ha/resources.cfg`);
    simulator.placeByHa(MEMBERS.stopped, 'pve2');
    expect(await on('pve3', 'pct start 9112')).toMatchObject({
      code: 0,
      stdout: 'Requesting HA start for CT 9112\n',
    });
    await expect.poll(() => simulator.container(MEMBERS.stopped).running).toBe(true);
    expect(simulator.ownerOf(MEMBERS.stopped)).toBe('pve2');
    const status = JSON.parse((await on('pve1', 'cat /etc/pve/ha/manager_status')).stdout);
    expect(status.service_status).toMatchObject({ 'ct:9112': { node: 'pve2', state: 'started' } });
    expect((await on('pve1', 'ha-manager status')).stdout).toContain('service ct:9112 (pve2, started)');
  });

  test('refuse logins, refuse connections or hang independently', async () => {
    simulator.node('pve2').refuseLogins();
    await expect(connect(login('pve2'))).rejects.toThrow('authentication');
    await simulator.node('pve3').stopSsh();
    await expect(connect(login('pve3'))).rejects.toThrow('ECONNREFUSED');
    expect((await members('pve1')).nodelist).toMatchObject({ pve2: { online: 1 }, pve3: { online: 1 } });
    simulator.node('pve1').pmxcfs = 'hangs';
    simulator.node('pve2').refuseLogins(false);
    expect((await on('pve2', 'cat /etc/pve/lxc/9109.conf')).stdout).toContain('hostname: second');
    simulator.node('pve1').pmxcfs = 'up';
  });

  test('count open, peak and refused sessions', async () => {
    const client = await connect(login('pve1'));
    const runs = Array.from({ length: 10 }, () => run(client, 'sleep 0.2'));
    await expect.poll(() => simulator.node('pve1').sessions.peak).toBe(10);
    await expect(run(client, 'true')).rejects.toThrow();
    await Promise.all(runs);
    expect(simulator.node('pve1').sessions).toEqual({ peak: 10, refused: 1, opened: 10 });
    expect(simulator.node('pve1').connections).toEqual({ open: 1, made: 1 });
    client.end();
  });
});
