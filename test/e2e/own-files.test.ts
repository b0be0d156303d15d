import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectClient, type TestClient } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { failureOf } from './connect.ts';
import { SimulatedNode } from './simulated-node.ts';

/** Everything in one directory, which is how many users start: settings, secrets, state, rules and files of the project. */
describe('files of the server in a transfer directory', () => {
  const node = new SimulatedNode();
  let dir: string;
  let client: TestClient;
  beforeAll(async () => {
    await node.start();
    dir = await mkdtemp(path.join(tmpdir(), 'own-files-'));
    await mkdir(path.join(dir, 'state', 'approvals'), { recursive: true });
    await writeFile(path.join(dir, 'rules.yaml'), 'extends: open\n');
    await writeFile(path.join(dir, 'passphrase'), 'a-passphrase-of-a-key');
    await writeFile(path.join(dir, 'state', 'http-token'), 'a-token');
    await symlink('state', path.join(dir, 'link'));
    const settings = {
      ...node.settings(),
      SSH_KEY_PASSPHRASE_FILE: 'passphrase',
      POLICY_FILE: 'rules.yaml',
      STATE_DIR: 'state',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(path.join(dir, '.env'), lines.join(''));
    await writeFile(path.join(dir, 'project'), 'a file of the project');
    await node.writeInContainer(CT.debian, '/root/evil', 'POLICY=open\n');
    client = await connectClient({ cwd: dir, env: { STATE_DIR: '', TRANSFER_DIRS: dir } });
  });
  afterAll(async () => {
    await client.close();
    await node.stop();
    await rm(dir, { recursive: true });
  });

  const upload = (local: string) =>
    client.callTool('proxmox_upload_file_to_container', {
      vmid: CT.debian,
      local_path: local,
      container_path: '/root/stolen',
      overwrite: true,
    });
  const download = (local: string) =>
    client.callTool('proxmox_download_file_from_container', {
      vmid: CT.debian,
      container_path: '/root/evil',
      local_path: local,
      overwrite: true,
    });

  test.each(['.env', 'passphrase', 'rules.yaml', 'state/http-token', 'link/http-token'])(
    '%s cannot be read or written',
    async (name) => {
      const before = await readFile(path.join(dir, name), 'utf8');
      const refused = {
        code: 'PATH_OUTSIDE_TRANSFER_DIRS',
        error: expect.stringContaining('belongs to this server'),
      };
      expect(failureOf(await upload(name))).toMatchObject(refused);
      expect(failureOf(await download(name))).toMatchObject(refused);
      expect(await readFile(path.join(dir, name), 'utf8')).toBe(before);
    },
  );

  test('an approval cannot be planted', async () => {
    expect(failureOf(await download('state/approvals/passphrase.json')).code).toBe(
      'PATH_OUTSIDE_TRANSFER_DIRS',
    );
  });

  test('other files can be read and written', async () => {
    expect((await upload('project')).isError).toBe(false);
    expect((await download('project')).isError).toBe(false);
  });
});
