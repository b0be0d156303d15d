import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectClient } from '../mcp/client.ts';
import { noSshd, type Sshd, startSshd } from '../ssh/sshd.ts';

/** bash reads the .bashrc of its user for sshd as well, and people greet themselves there. */
const GREETING = "printf 'Welcome to pve\\nno newline '; echo more >&2";

describe.skipIf(noSshd)('a login shell that greets', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
    writeFileSync(path.join(sshd.dir, '.bashrc'), `${GREETING}\n`);
  });
  afterAll(() => sshd.stop());

  test.each([
    ['open', 'of a call that is run at once'],
    ['careful', 'of a call that is held to what was agreed on'],
  ])('is not taken for the answer (%s): %s', async (policy) => {
    const at = (name: string) => path.join(sshd.dir, `${policy}-${name}`);
    const client = await connectClient({
      respond: async () => ({ action: 'accept', content: { allow: true } }),
      env: {
        I_ACCEPT_RISKS: 'true',
        HOST: '127.0.0.1',
        SSH_PORT: String(sshd.port),
        SSH_USERNAME: sshd.username,
        SSH_KEY: sshd.userKey,
        SSH_HOST_KEY_POLICY: 'accept-new',
        SSH_KNOWN_HOSTS: at('known_hosts'),
        ENABLE_HOST_EXEC: 'true',
        POLICY: policy,
        TRANSFER_DIRS: sshd.dir,
      },
    });
    try {
      const { data } = await client.callTool('proxmox_host_exec_command', { command: 'echo out; exit 3' });
      expect(data).toMatchObject({ stdout: 'out\n', exit_code: 3, ended: 'exit' });
      writeFileSync(at('source'), 'some bytes');
      const up = { local_path: at('source'), host_path: at('up') };
      expect((await client.callTool('proxmox_upload_file_to_host', up)).data).toMatchObject({
        success: true,
      });
      const down = { host_path: at('up'), local_path: at('down') };
      expect((await client.callTool('proxmox_download_file_from_host', down)).data).toMatchObject({
        success: true,
      });
      expect(readFileSync(at('down'), 'utf8')).toBe('some bytes');
    } finally {
      await client.close();
    }
  });
});
