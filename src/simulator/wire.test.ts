import { existsSync, readFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Simulator } from './simulator.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await Simulator.start();
});
afterAll(() => simulator.stop());

function connect(more: ssh2.ConnectConfig = {}, node = 'pve1'): Promise<ssh2.Client> {
  const { host, port, user, password } = simulator.node(node).connection;
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    client.once('ready', () => resolve(client));
    client.on('error', reject);
    client.connect({ host, port, username: user, password, readyTimeout: 2_000, ...more });
  });
}

async function run(
  line: string,
  client?: ssh2.Client,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const connection = client ?? (await connect());
  return new Promise((resolve, reject) => {
    connection.exec(line, (error, channel) => {
      if (error) return reject(error);
      let [stdout, stderr]: [string, string] = ['', ''];
      let code: number | null = null;
      channel.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      channel.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      channel.on('exit', (value: number | null) => {
        code = value;
      });
      channel.on('close', () => {
        if (client === undefined) connection.end();
        resolve({ code, stdout, stderr });
      });
      channel.end();
    });
  });
}

describe('logins', () => {
  test('refuse a wrong password, an unknown user and an unknown key', async () => {
    await expect(connect({ password: 'wrong' })).rejects.toThrow('authentication');
    await expect(connect({ username: 'nobody' })).rejects.toThrow('authentication');
    const privateKey = ssh2.utils.generateKeyPairSync('ed25519').private;
    await expect(connect({ privateKey, password: '' })).rejects.toThrow('authentication');
    const { keyPath } = simulator.node().connection;
    (await connect({ privateKey: readFileSync(keyPath), password: '' })).end();
  });

  test('allow ten sessions per connection', async () => {
    const client = await connect();
    const ten = Array.from({ length: 10 }, () => run('exec sleep 0.5', client));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(run('true', client)).rejects.toThrow();
    for (const { code } of await Promise.all(ten)) expect(code).toBe(0);
    expect((await run('echo free', client)).stdout).toBe('free\n');
    client.end();
  });
});

describe('commands of an administrator', () => {
  test.each([
    ['pct list', /^VMID {7}Status {5}Lock {9}Name {16}\n101 {8}running {17}web/],
    ['pct status 104', /^status: stopped\n$/],
    ['pveversion', /^pve-manager\/9\./],
    ['pvesh get /cluster/resources --output-format json', /^\[\{.*"name":"web"/],
    ['cat /etc/pve/.vmlist', /"101": \{ "node": "pve1", "type": "lxc"/],
    ['pct exec 103 -- pihole status', /blocking is enabled/],
    ['ps | grep -c nginx', /^[1-9]/],
  ])('%s', async (line, expected) => {
    const { code, stdout, stderr } = await run(line);
    expect(stdout, stderr).toMatch(expected);
    expect(code).toBe(0);
  });

  test.each([
    ['pct exec 104 -- true', 255, "container '104' not running!"],
    ['pct exec 201 -- true', 2, "Configuration file 'nodes/pve1/lxc/201.conf' does not exist"],
    ['pct start 101', 255, 'CT 101 already running'],
    ['pct shutdown 105', 255, 'CT is locked (backup)'],
    ['pct destroy 101', 255, 'unable to destroy CT 101 - container is running'],
    ['pct status abc', 2, '400 Parameter verification failed.'],
    ['lxc-attach -n 104 -- true', 1, 'Failed to get init pid'],
  ])('%s fails with %i and a message', async (line, code, words) => {
    expect(await run(line)).toMatchObject({ code, stderr: expect.stringContaining(words) });
  });
});

describe('faults', () => {
  test('drop connections while a command continues', async () => {
    const client = await connect();
    client.on('error', () => {});
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    void run('exec lxc-attach -n 101 -- sleep 4711', client);
    await expect.poll(() => simulator.container(101).processes('sleep 4711').length).toBeGreaterThan(0);
    expect(simulator.dropConnections()).toBe(1);
    await closed;
    expect(simulator.container(101).processes('sleep 4711')).not.toEqual([]);
    await simulator.container(101).run(['pkill', '-f', 'sleep 4711']);
    expect(simulator.container(101).processes('sleep 4711')).toEqual([]);
  });

  test('take a node offline and back on the same port', async () => {
    const { port } = simulator.node('pve2').connection;
    await simulator.node('pve2').goOffline();
    await expect(connect({}, 'pve2')).rejects.toThrow('ECONNREFUSED');
    expect((await run('cat /etc/pve/.members')).stdout).toMatch(/"pve2": \{ "id": 2, "online": 0/);
    await simulator.node('pve2').comeBack();
    expect(simulator.node('pve2').connection.port).toBe(port);
    (await connect({}, 'pve2')).end();
  });

  test('suspend a node and resume it', async () => {
    simulator.node().hang();
    await expect(connect({ readyTimeout: 200 })).rejects.toThrow('Timed out');
    simulator.node().hang(false);
    expect((await run('echo again')).stdout).toBe('again\n');
  });

  test('change the host key', async () => {
    const before = simulator.node('pve2').connection.knownHostsLine;
    await simulator.node('pve2').changeHostKey();
    expect(simulator.node('pve2').connection.knownHostsLine).not.toBe(before);
    (await connect({}, 'pve2')).end();
  });

  test('delay the link', async () => {
    simulator.node().delay(60);
    const since = performance.now();
    await run('true');
    expect(performance.now() - since).toBeGreaterThan(400);
    simulator.node().delay(0);
  });

  test('fill the disk', async () => {
    const container = simulator.container(102);
    container.fillDisk(10);
    expect(await container.run(['sh', '-c', 'echo 1234567890123 >/srv/file'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('I/O error'),
    });
    expect(await container.run(['sh', '-c', 'echo 1 >/srv/file && cat /srv/file'])).toMatchObject({
      stdout: '1\n',
    });
  });

  test('stop or suspend the cluster file system', async () => {
    simulator.node().pmxcfs = 'down';
    expect(await run('pct list')).toMatchObject({
      code: 111,
      stderr: expect.stringContaining('Connection refused'),
    });
    simulator.node().pmxcfs = 'hangs';
    const client = await connect();
    const outcome = await Promise.race([
      run('cat /etc/pve/.vmlist', client),
      new Promise((resolve) => setTimeout(resolve, 300, 'hangs')),
    ]);
    expect(outcome).toBe('hangs');
    client.end();
    simulator.node().pmxcfs = 'up';
  });

  test('leave no client files after stop', async () => {
    const other = await Simulator.start({ scenario: { nodes: { n: {} } } });
    const { keyPath } = other.node().connection;
    expect(existsSync(keyPath)).toBe(true);
    await other.stop();
    expect(existsSync(keyPath)).toBe(false);
  });
});
