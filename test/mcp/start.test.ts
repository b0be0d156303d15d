import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { builtServer } from '../build.ts';
import { connectClient } from './client.ts';

const PRELOAD = fileURLToPath(new URL('../fixtures/write-loaded-modules.cjs', import.meta.url));

// Most clients start the server with every conversation, and most conversations call no tool.
test('a server without calls never loads the modules for cryptography and networks', async () => {
  vi.stubEnv('SERVER_ENTRY', builtServer());
  const modules = path.join(await mkdtemp(path.join(tmpdir(), 'start-')), 'modules');
  const client = await connectClient({
    env: {
      I_ACCEPT_RISKS: 'true',
      HOST: '192.0.2.1',
      SSH_PASSWORD: 'x',
      NODE_OPTIONS: `--require ${PRELOAD}`,
      LOADED_MODULES: modules,
    },
  });
  expect(await client.listTools()).not.toHaveLength(0);
  await client.close();
  const loaded = (await readFile(modules, 'utf8')).split('\n');
  expect(loaded).toContain('NativeModule events');
  for (const name of ['crypto', 'tls', 'http', 'dns', 'child_process'])
    expect(loaded).not.toContain(`NativeModule ${name}`);
});
