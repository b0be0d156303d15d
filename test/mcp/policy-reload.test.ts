import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOOLS } from '../../src/tools/index.ts';
import { until } from '../rig/until.ts';
import { connectClient, serverCommand, type TestClient } from './client.ts';
import { settingsWithoutNode } from './fixtures.ts';

const DENY = 'default: allow\nrules: [{rule: closed, match: {tool: start_container}, outcome: deny}]\n';

let dir = '';
let file = '';
let env: Record<string, string> = {};
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-reload-'));
  file = path.join(dir, 'policy.yaml');
  env = { ...(await settingsWithoutNode()), POLICY_FILE: file, STATE_DIR: dir };
});
beforeEach(() => writeFile(file, 'default: allow\n'));
afterAll(() => rm(dir, { recursive: true, force: true }));

async function replace(text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

const lists = async (client: TestClient, name: string) =>
  (await client.listTools()).some((tool) => tool.name === `proxmox_${name}`);

describe('a policy file that changes while the server runs', () => {
  test('applies to the next list and the next call', async () => {
    const client = await connectClient({ env, era: 'legacy' });
    try {
      expect(await lists(client, 'start_container')).toBe(true);
      await replace(DENY);
      expect(await lists(client, 'start_container')).toBe(false);
      const refused = await client.callTool('proxmox_start_container', { vmid: 101 });
      expect(refused.data).toMatchObject({
        code: 'POLICY_DENIED',
        error: expect.stringContaining('"closed"'),
      });
      await replace('default: allow\n');
      expect(await lists(client, 'start_container')).toBe(true);
    } finally {
      await client.close();
    }
  });

  test('is reported on stderr and not applied when it is invalid', async () => {
    await replace(DENY);
    const client = await connectClient({ env, era: 'legacy' });
    try {
      await replace('default: allow\nrules: [{rule: closed, outcome: denny}]\n');
      await until(() => client.stderr().includes('policy.yaml:2:33'));
      expect(client.stderr()).toContain('The previous rules stay in force.');
      expect(await lists(client, 'start_container')).toBe(false);
    } finally {
      await client.close();
    }
  });

  test.runIf(process.platform !== 'win32')('is read again on SIGHUP', async () => {
    await replace(DENY);
    const client = await connectClient({ env, era: 'legacy' });
    try {
      process.kill(client.pid, 'SIGHUP');
      await until(() => client.stderr().includes('policy reloaded'));
      expect(await lists(client, 'start_container')).toBe(false);
    } finally {
      await client.close();
    }
  });

  test.each(['legacy', 'auto'] as const)(
    'notifies a listening client that its list has changed (%s)',
    async (mode) => {
      let told = 0;
      const client = new Client(
        { name: 'listener', version: '1' },
        {
          versionNegotiation: { mode },
          listChanged: {
            tools: {
              onChanged: () => {
                told += 1;
              },
            },
          },
        },
      );
      await client.connect(new StdioClientTransport({ ...serverCommand(), cwd: dir, env, stderr: 'ignore' }));
      try {
        expect((await client.listTools()).tools).toHaveLength(TOOLS.length);
        await replace(DENY);
        await until(() => told > 0);
        expect((await client.listTools()).tools).toHaveLength(TOOLS.length - 1);
      } finally {
        await client.close();
      }
    },
  );
});

test('ends the server on SIGHUP without a policy file', async () => {
  const { POLICY_FILE: _, ...rest } = env;
  const client = await connectClient({ env: { ...rest, LOG_LEVEL: 'debug' }, era: 'legacy' });
  process.kill(client.pid, 'SIGHUP');
  await until(() => client.stderr().includes('"reason":"SIGHUP"'));
  await client.close();
});
