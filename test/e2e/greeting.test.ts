import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectClient } from '../mcp/client.ts';
import { describeNode } from './nodes.ts';

/** For sshd, too, bash reads the .bashrc of its user, which may print a greeting. */
const GREETING = "printf 'Welcome to pve\\nno newline '; echo more >&2\n";
const BASHRC = '/root/.bashrc';

describeNode('a login shell that prints a greeting', [], (node) => {
  let before = '';
  const dir = mkdtempSync(path.join(tmpdir(), 'greeting-'));
  beforeAll(async () => {
    before = await node.readInNode(BASHRC).then(String, () => '');
    await node.writeInNode(BASHRC, GREETING);
  });
  afterAll(async () => {
    await node.writeInNode(BASHRC, before);
    rmSync(dir, { recursive: true });
  });

  test.each([
    ['open', 'without a precondition'],
    ['careful', 'with a precondition'],
  ])('does not corrupt results (%s): %s', async (policy) => {
    const local = (name: string) => path.join(dir, `${policy}-${name}`);
    const client = await connectClient({
      respond: async () => ({ action: 'accept', content: { allow: true } }),
      env: { ...node.settings(), ENABLE_HOST_EXEC: 'true', POLICY: policy, TRANSFER_DIRS: dir },
    });
    try {
      const { data } = await client.callTool('proxmox_host_exec_command', { command: 'echo out; exit 3' });
      expect(data).toMatchObject({ stdout: 'out\n', exit_code: 3, ended: 'exit' });
      writeFileSync(local('source'), 'some bytes');
      const host_path = `/root/greeting-${policy}`;
      const up = { local_path: local('source'), host_path };
      const uploaded = await client.callTool('proxmox_upload_file_to_host', up);
      expect(uploaded.data, uploaded.text).toMatchObject({
        success: true,
      });
      const down = { host_path, local_path: local('down') };
      const downloaded = await client.callTool('proxmox_download_file_from_host', down);
      expect(downloaded.data, downloaded.text).toMatchObject({ success: true });
      expect(readFileSync(local('down'), 'utf8')).toBe('some bytes');
    } finally {
      await client.close();
    }
  });
});
