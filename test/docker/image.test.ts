import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { closedPort } from '../ports.ts';
import { until } from '../rig/until.ts';
import { dockerEnvFile, Image } from './image.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
/** It installs the packages again and mounts file systems: only in the full check, or on request. */
const reason =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'needs root on Linux'
    : process.env.CI || process.env.IMAGE
      ? null
      : 'takes a minute and the network; IMAGE=1 runs it';

describe.skipIf(reason !== null)(`the image${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  let dir = '';
  let image: Image;
  let sim: Simulator;
  let port = 0;
  let env: Record<string, string> = {};
  let volumes: Record<string, string> = {};
  let server: ChildProcessWithoutNullStreams | undefined;
  let log = '';

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'image-'));
    // Other users must be able to reach their own files below it.
    chmodSync(dir, 0o755);
    image = await Image.build(project, readFileSync(path.join(project, 'Dockerfile'), 'utf8'), dir);
    sim = await Simulator.start({});
    port = await closedPort();
    volumes = {
      '/state': await image.volume('state', '/state'),
      '/files': await image.volume('files', '/files'),
    };
    const { host, port: sshPort, keyPath } = sim.node().connection;
    copyFileSync(keyPath, path.join(dir, 'ssh_key'));
    chmodSync(path.join(dir, 'ssh_key'), 0o400);
    chownSync(path.join(dir, 'ssh_key'), 1000, 1000);
    env = dockerEnvFile(
      `# as docker run --env-file reads it\nI_ACCEPT_RISKS="true"\nHOST='${host}'\nSSH_PORT=${sshPort}\nSSH_USERNAME=\nSSH_PASSWORD=""\nSSH_KEY=/files/ssh_key\nSERVER_PORT="${port}"\nALLOWED_HOSTS=\n`,
    );
    // Like `-v ./ssh_key:/files/ssh_key`: a mount is not needed to check whether uid 1000 may read the file.
    copyFileSync(path.join(dir, 'ssh_key'), path.join(volumes['/files'] ?? '', 'ssh_key'));
    chmodSync(path.join(volumes['/files'] ?? '', 'ssh_key'), 0o400);
    chownSync(path.join(volumes['/files'] ?? '', 'ssh_key'), 1000, 1000);
    const started = image.run({ env, volumes });
    server = started;
    started.stderr.setEncoding('utf8').on('data', (data: string) => {
      log += data;
    });
    await until(() => {
      if (started.exitCode !== null) throw new Error(`it did not start: ${log}`);
      return log.includes('MCP is at');
    });
  }, 400_000);

  afterAll(async () => {
    server?.kill('SIGKILL');
    await sim?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function health(): Promise<{ code: number | null; said: string }> {
    const check = image.start(image.stage.healthcheck, { env, volumes });
    const [said] = await Promise.all([text(check.stdout), once(check, 'close')]);
    return { code: check.exitCode, said };
  }

  test('contains the program and its dependencies only', () => {
    expect(readdirSync(path.join(image.layer, 'app')).sort()).toEqual([
      'LICENSE',
      'dist',
      'node_modules',
      'package.json',
    ]);
    const packages = readdirSync(path.join(image.layer, 'app/node_modules')).filter(
      (name) => !name.startsWith('.'),
    );
    expect(packages.sort()).toEqual(['asn1', 'bcrypt-pbkdf', 'safer-buffer', 'ssh2', 'tweetnacl']);
    expect(statSync(path.join(image.layer, 'app/dist/bin.js'))).toMatchObject({ uid: 0, mode: 0o100755 });
  });

  test('runs as the user of the image, without capabilities', () => {
    const status = readFileSync(`/proc/${server?.pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
    expect(status).toMatch(/^Groups:\t ?$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });

  test('listens on all addresses at SERVER_PORT, and passes its health check', async () => {
    expect(log).toContain(`MCP is at http://0.0.0.0:${port}/mcp`);
    // As clients outside call it through -p.
    expect((await fetch(`http://localhost:${port}/health`)).status).toBe(200);
    expect(await health()).toEqual({ code: 0, said: `healthy: http://127.0.0.1:${port}/health\n` });
  });

  test('serves a client with the generated token, and writes its files to the volume', async () => {
    const state = path.join(volumes['/state'] ?? '', 'proxmox-mcp');
    const token = readFileSync(path.join(state, 'http-token'), 'utf8').trim();
    expect(statSync(path.join(state, 'http-token'))).toMatchObject({ uid: 1000, mode: 0o100600 });
    expect(log).toContain('/state/proxmox-mcp/http-token');
    expect(log).not.toContain(token);
    const client = new Client({ name: 'test', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(`http://localhost:${port}/mcp`), {
      requestInit: { headers: { Authorization: `Bearer ${token}` } },
    });
    await client.connect(transport);
    try {
      const call = async (tool: string, args: Record<string, unknown>) =>
        (await client.callTool({ name: `proxmox_${tool}`, arguments: args })).structuredContent;
      expect(await call('container_exec_command', { vmid: 101, command: 'hostname' })).toMatchObject({
        stdout: 'web\n',
      });
      const args = { vmid: 101, container_path: '/etc/hostname', local_path: 'got' };
      expect(await call('download_file_from_container', args)).toMatchObject({ success: true });
    } finally {
      await client.close();
    }
    expect(readFileSync(path.join(volumes['/files'] ?? '', 'got'), 'utf8')).toBe('web\n');
    // The pinned host key is kept when the container is replaced as well.
    expect(existsSync(path.join(state, 'known_hosts'))).toBe(true);
  });

  test('serves one client on stdin on request', async () => {
    const one = image.run({ env, volumes }, ['serve']);
    one.stdin.end(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } } })}\n`,
    );
    expect(await text(one.stdout)).toContain('"serverInfo"');
  });

  test('reports a secret file that its user cannot read', async () => {
    const file = path.join(volumes['/files'] ?? '', 'not-mine');
    await writeFile(file, 'x', { mode: 0o600 });
    const one = image.run({ env: { ...env, SSH_KEY: '/files/not-mine' }, volumes });
    const [said] = await Promise.all([text(one.stderr), once(one, 'close')]);
    expect({ code: one.exitCode, said }).toEqual({
      code: 2,
      said: expect.stringContaining('is not readable'),
    });
  });

  test('exits with 0 when Docker stops it, and is then unhealthy', async () => {
    const closed = server && once(server, 'close');
    server?.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect((await health()).code).toBe(1);
  });

  test('reports volumes that it cannot write', async () => {
    const empty = path.join(dir, 'empty');
    await mkdir(empty);
    const one = image.run({ env, volumes: { '/state': empty, '/files': volumes['/files'] ?? '' } });
    const [said] = await Promise.all([text(one.stderr), once(one, 'close')]);
    expect(one.exitCode).not.toBe(0);
    expect(said).toContain('/state');
  });
});
