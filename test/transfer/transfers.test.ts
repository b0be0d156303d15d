import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failureOf } from '../e2e/connect.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { sha256 } from '../e2e/transfers.ts';
import { connectClient, type TestClient } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { exchange } from './exchange-dir.ts';

describe('transfer directories', () => {
  const node = new SimulatedNode();
  let home = '';
  let cwd = '';
  let client: TestClient | undefined;
  beforeEach(async () => {
    await node.start();
    home = await mkdtemp(path.join(tmpdir(), 'home-'));
    cwd = path.join(home, 'project');
    await mkdir(cwd);
    await node.writeInContainer(CT.debian, '/root/file', 'from the container');
  });
  afterEach(async () => {
    await client?.close();
    client = undefined;
    await node.stop();
    await rm(home, { recursive: true });
  });

  async function start(env: Readonly<Record<string, string>> = {}): Promise<TestClient> {
    client = await connectClient({
      cwd,
      env: { ...node.settings(), HOME: home, STATE_DIR: path.join(home, 'state'), ...env },
    });
    return client;
  }
  const download = (server: TestClient, local: string) =>
    server.callTool('proxmox_download_file_from_container', {
      vmid: CT.debian,
      container_path: '/root/file',
      local_path: local,
      overwrite: true,
    });
  const upload = (server: TestClient, local: string, more: object = {}) =>
    server.callTool('proxmox_upload_file_to_container', {
      vmid: CT.debian,
      local_path: local,
      container_path: '/root/uploaded',
      overwrite: true,
      ...more,
    });

  test('default to ~/proxmox-mcp, private to its owner, and exclude the working directory', async () => {
    const server = await start();
    const result = await download(server, 'file');
    const dir = path.join(home, 'proxmox-mcp');
    expect(result.data).toMatchObject({ success: true, local_path: path.join(dir, 'file') });
    expect(await readFile(path.join(dir, 'file'), 'utf8')).toBe('from the container');
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    const refused = failureOf(await download(server, path.join(cwd, 'CLAUDE.md')));
    expect(refused).toMatchObject({
      code: 'PATH_OUTSIDE_TRANSFER_DIRS',
      suggestion: expect.stringContaining('TRANSFER_DIRS'),
    });
    expect(await readdir(cwd)).toEqual([]);
  });

  test('refuse files that programs of the working directory execute or read', async () => {
    for (const dir of ['.claude', '.git/hooks', '.vscode'])
      await mkdir(path.join(cwd, dir), { recursive: true });
    const server = await start({ TRANSFER_DIRS: cwd });
    for (const name of [
      '.claude/settings.local.json',
      '.git/hooks/post-checkout',
      '.vscode/tasks.json',
      '.mcp.json',
      '.envrc',
      '.npmrc',
      path.join(cwd, '.env'),
    ]) {
      expect(failureOf(await download(server, name)), name).toMatchObject({
        code: 'PATH_OUTSIDE_TRANSFER_DIRS',
        suggestion: expect.stringContaining('TRANSFER_DIRS'),
      });
    }
    expect((await readdir(cwd, { recursive: true })).sort()).toEqual([
      '.claude',
      '.git',
      '.git/hooks',
      '.vscode',
    ]);
  });

  test('are not left when a directory is replaced by a symlink during 400 calls', async () => {
    const outside = path.join(home, 'outside');
    const files = path.join(home, 'files');
    await mkdir(outside);
    await mkdir(path.join(files, 'sub'), { recursive: true });
    await writeFile(path.join(outside, 'file'), 'secret');
    await writeFile(path.join(files, 'sub', 'file'), 'content');
    const server = await start({ TRANSFER_DIRS: files });
    const stop = await exchange(path.join(files, 'sub'), outside);
    try {
      const calls = Array.from({ length: 400 }, (_, index) => index);
      for (let from = 0; from < calls.length; from += 8) {
        const sent = await Promise.all(
          calls.slice(from, from + 8).map(async (index) => {
            const remote = `/root/sent-${index}`;
            if (index % 2 === 1) return await download(server, 'sub/new');
            return await upload(server, 'sub/file', { container_path: remote });
          }),
        );
        for (const { data } of sent) expect(data.sha256).not.toBe(sha256('secret'));
      }
    } finally {
      await stop();
    }
    expect(await readdir(outside)).toEqual(['file']);
    expect((await upload(server, 'sub/file')).data).toMatchObject({ sha256: sha256('content') });
  });

  test('exclude the program itself', async () => {
    const program = fileURLToPath(new URL('../..', import.meta.url));
    const server = await start({ TRANSFER_DIRS: program });
    for (const name of ['package.json', 'dist/a-new-file.js', 'src/a-new-file.ts']) {
      expect(failureOf(await download(server, name)), name).toMatchObject({
        code: 'PATH_OUTSIDE_TRANSFER_DIRS',
        error: expect.stringContaining('belongs to this server'),
      });
    }
  });

  test('exclude SSH keys and known_hosts files', async () => {
    const ssh = path.join(home, '.ssh');
    await mkdir(ssh);
    await writeFile(path.join(ssh, 'id_ed25519_of_another_host'), 'key');
    const server = await start({ TRANSFER_DIRS: ssh });
    const refused = {
      code: 'PATH_OUTSIDE_TRANSFER_DIRS',
      error: expect.stringContaining('belongs to this server'),
    };
    expect(failureOf(await upload(server, 'id_ed25519_of_another_host'))).toMatchObject(refused);
    expect(failureOf(await download(server, 'authorized_keys'))).toMatchObject(refused);
    expect(await readdir(ssh)).toEqual(['id_ed25519_of_another_host']);
  });

  test('limit the mode of a file to that of its source, unless another one is requested', async () => {
    await writeFile(path.join(home, 'key'), 'key');
    const server = await start({ TRANSFER_DIRS: home });
    for (const [mode, more, expected] of [
      [0o600, {}, '600'],
      [0o666, {}, '600'], // replaces the one before, whose mode it keeps
      [0o600, { permissions: '640' }, '640'],
    ] as const) {
      await chmod(path.join(home, 'key'), mode);
      expect((await upload(server, 'key', more)).data).toMatchObject({
        success: true,
        permissions: expected,
      });
    }
    const changed = await server.callTool('proxmox_container_exec_command', {
      vmid: CT.debian,
      command: 'chmod 600 /root/file',
    });
    expect(changed.isError).toBe(false);
    expect((await download(server, 'file')).data).toMatchObject({ permissions: '600' });
    expect((await stat(path.join(home, 'file'))).mode & 0o777).toBe(0o600);
  });
});
