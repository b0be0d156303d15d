import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectClient } from './client.ts';
import { settingsWithoutNode } from './fixtures.ts';

const LINK = 'https://login.tailscale.com/a/1f2e3d4c5b6a70';
const banner = `# Tailscale SSH requires an additional check.\n# To authenticate, visit: ${LINK}\n`;
let server: ssh2.Server;
let port = 0;

beforeAll(async () => {
  const hostKey = ssh2.utils.generateKeyPairSync('ed25519').private;
  server = new ssh2.Server({ hostKeys: [hostKey], banner }, (client) => {
    client.on('error', () => {});
    // As if a person had opened the link and had been refused.
    client.on('authentication', (context) => setTimeout(() => context.reject([]), 1500));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address ? address.port : 0;
});
afterAll(() => server.close());

test.each(['open', 'standard'])(
  'sends the link of a login banner to the client, POLICY=%s',
  async (policy) => {
    const env = { ...(await settingsWithoutNode()), SSH_PORT: String(port), POLICY: policy };
    const client = await connectClient({ env });
    try {
      const messages: string[] = [];
      const args = { vmid: 101, command: 'true' };
      const result = await client.callTool('proxmox_container_exec_command', args, {
        onProgress: ({ message = '' }) => void messages.push(message),
      });
      expect(result.data).toMatchObject({ code: 'SSH_AUTH_FAILED', error: expect.stringContaining(LINK) });
      expect(messages.some((message) => message.includes(LINK))).toBe(true);
      expect(client.stderr()).toContain(LINK);
    } finally {
      await client.close();
    }
  },
);
