import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { failureOf } from '../e2e/connect.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { connectClient, type TestClient } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';

/** Long enough for a test to see the process under the random name while the server asks the node. */
const DELAY_MS = 150;
const SECRET = 'root-key-of-the-node';

const node = new SimulatedNode();
let client: TestClient | undefined;
let files: string;

beforeAll(async () => {
  await node.start();
  files = await mkdtemp(path.join(tmpdir(), 'own-container-'));
});
afterAll(async () => {
  await node.stop();
  await rm(files, { recursive: true, force: true });
});
beforeEach(async () => {
  await node.writeInContainer(CT.debian, '/root/secret', SECRET);
  await writeFile(path.join(files, 'planted'), 'planted');
});
afterEach(async () => {
  await client?.close();
  client = undefined;
  node.simulator.node().delay(0);
  await node.reset();
});

describe.skipIf(process.platform !== 'linux')('the container that the server runs in', () => {
  test('is refused for commands, transfers and changes, but not for reading', async () => {
    const call = await serverIn([CT.debian]);
    const vmid = CT.debian;
    for (const [tool, args] of [
      ['container_exec_command', { command: 'cat /root/secret' }],
      ['download_file_from_container', { container_path: '/root/secret', local_path: 'stolen' }],
      ['upload_file_to_container', { local_path: 'planted', container_path: '/root/planted' }],
      ['read_file', { path: '/root/secret' }],
      ['stop_container', {}],
      ['start_container', {}],
    ] as const) {
      const result = await call(tool, { vmid, ...args });
      expect(failureOf(result), tool).toMatchObject({ code: 'OWN_CONTAINER' });
      expect(JSON.stringify(result)).not.toContain(SECRET);
    }
    expect(await readdir(files)).toEqual(['planted']);
    expect(node.isRunning(vmid)).toBe(true);
    expect((await node.inContainer(vmid, ['ls', '/root'])).stdout).not.toContain('planted');
    expect((await call('container_status', { vmid })).isError).toBe(false);
    expect((await call('container_exec_command', { vmid: CT.busybox, command: 'id' })).isError).toBe(false);
  });

  test('includes every container that shows the name', async () => {
    const call = await serverIn([CT.debian, CT.busybox]);
    for (const vmid of [CT.debian, CT.busybox]) {
      const result = await call('container_exec_command', { vmid, command: 'id' });
      expect(failureOf(result)).toMatchObject({ code: 'OWN_CONTAINER' });
    }
  });

  test('is not refused with ALLOW_SELF=true', async () => {
    client = await connectClient({ env: { ...node.settings(), POLICY: 'open', ALLOW_SELF: 'true' } });
    const args = { vmid: CT.debian, command: 'cat /root/secret' };
    const result = await client.callTool('proxmox_container_exec_command', args);
    expect(result.data).toMatchObject({ stdout: SECRET });
  });

  test('is located again after a reconnect', async () => {
    const call = await serverIn([]);
    const args = { vmid: CT.debian, command: 'id' };
    expect((await call('container_exec_command', args)).isError).toBe(false);
    node.simulator.node().dropConnections();
    // A read reconnects, and searches for nothing. Without it, the server may notice the loss only during the next command.
    expect((await call('list_containers', {})).isError).toBe(false);
    expect(failureOf(await showingIn([CT.debian], () => call('container_exec_command', args)))).toMatchObject(
      {
        code: 'OWN_CONTAINER',
      },
    );
  });

  test('is not required to be found: a failed search is logged', async () => {
    const { files } = node.simulator.node();
    const grep = files.read('/usr/bin/grep');
    files.remove('/usr/bin/grep');
    try {
      client = await connectClient({ env: { ...node.settings(), POLICY: 'open' } });
      const args = { vmid: CT.debian, command: 'id' };
      const result = await client.callTool('proxmox_container_exec_command', args);
      expect(result.isError).toBe(false);
      expect(client.stderr()).toContain('could not find out whether this server runs in a container');
    } finally {
      files.write('/usr/bin/grep', grep, { mode: 0o755 });
    }
  });
});

/** Starts a server, and shows its process under the random name in these containers during the search. */
async function serverIn(vmids: readonly number[]) {
  client = await connectClient({ env: { ...node.settings(), POLICY: 'open', TRANSFER_DIRS: files } });
  const { callTool } = client;
  const call = (tool: string, args: Readonly<Record<string, unknown>>) =>
    callTool(`proxmox_${tool}`, { ...args });
  await showingIn(vmids, () => call('container_exec_command', { vmid: CT.busybox, command: 'true' }));
  return call;
}

/** Makes a call during which the server searches for its own container. */
async function showingIn<T>(vmids: readonly number[], call: () => Promise<T>): Promise<T> {
  node.simulator.node().delay(DELAY_MS);
  const result = call();
  const word = await secretName(client?.pid ?? 0);
  const started = vmids.map((vmid) => showProcess(vmid, word));
  const settled = await result;
  node.simulator.node().delay(0);
  for (const vmid of vmids)
    for (const each of node.simulator.container(vmid).processes(word)) each.signal('KILL');
  await Promise.all(started);
  return settled;
}

/** The name of the child process that the server starts for the search. */
async function secretName(server: number): Promise<string> {
  let word: string | undefined;
  await until(async () => {
    const pids = (await readFile(`/proc/${server}/task/${server}/children`, 'utf8')).trim().split(' ');
    for (const pid of pids) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      word ??= /^([0-9a-f]{32})\0/.exec(line)?.[1];
    }
    return word !== undefined;
  });
  return word ?? '';
}

/** Runs a program with this name in a container, until it is killed. */
async function showProcess(vmid: number, word: string): Promise<void> {
  const container = node.simulator.container(vmid);
  // Found by its content: busybox chooses the program by its name.
  container.files.write(`/usr/bin/${word}`, '\x7fELF sleep\n', { mode: 0o755 });
  await container.run([word, '60']);
}
