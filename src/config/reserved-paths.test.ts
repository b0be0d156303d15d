import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HostEnvironment } from './host-environment.ts';
import { loadConfig } from './load.ts';
import { reservedPathsOf } from './reserved-paths.ts';
import { resolveSshTarget } from './ssh-target.ts';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'reserved-'));
  await mkdir(path.join(home, '.ssh'));
  await mkdir(path.join(home, 'keys'));
  for (const key of ['node', 'jump']) await writeFile(path.join(home, 'keys', key), '');
  await writeFile(
    path.join(home, '.ssh', 'config'),
    [
      `Include ${home}/more`,
      'Host pve',
      `  IdentityFile ${home}/keys/node`,
      `  UserKnownHostsFile ${home}/keys/hosts`,
      '  ProxyJump jump',
    ].join('\n'),
  );
  await writeFile(path.join(home, 'more'), `Host jump\n  IdentityFile ${home}/keys/jump\n`);
});
afterAll(() => rm(home, { recursive: true, force: true }));

test('reserves keys, host keys and configuration of the login and its jump hosts, and ~/.ssh', () => {
  const env = { HOST: 'pve', I_ACCEPT_RISKS: 'true' };
  const at: HostEnvironment = { platform: 'linux', env, home, cwd: home, username: 'me' };
  const loaded = loadConfig({}, at);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  const { config } = loaded;
  const { files, program } = reservedPathsOf(config, [resolveSshTarget(config, at)], at);
  expect(files).toEqual(
    expect.arrayContaining([
      path.join(home, '.ssh'),
      path.join(home, 'more'),
      path.join(home, 'keys', 'node'),
      path.join(home, 'keys', 'jump'),
      path.join(home, 'keys', 'hosts'),
      path.join(home, '.config', 'proxmox-mcp'),
      path.join(home, '.config', 'proxmox-mcp', 'known_hosts'),
      config.stateDir,
    ]),
  );
  expect(program).toEqual([path.resolve(fileURLToPath(new URL('../..', import.meta.url)))]);
});
