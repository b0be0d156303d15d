import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { listSettings } from '../../src/config/settings-schema.ts';

const unit = readFileSync(
  fileURLToPath(new URL('../../packaging/systemd/proxmox-mcp.service', import.meta.url)),
  'utf8',
);
const dir = mkdtempSync(path.join(tmpdir(), 'unit-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function values(name: string): string[] {
  return [...unit.matchAll(new RegExp(`^#?${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

const analyze = tool('systemd-analyze');
function tool(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('sets only known settings, with secrets as credentials', () => {
  const settings = listSettings();
  const known = settings.flatMap(({ name, secret }) => (secret === true ? [`${name}_FILE`] : [name]));
  const pairs = values('Environment').map((pair) => pair.split('=', 2));
  for (const [name = ''] of pairs) expect([...known, 'HOME', 'XDG_CONFIG_HOME']).toContain(name);
  const credentials = values('LoadCredential').map((value) => `%d/${value.split(':')[0]}`);
  const used = pairs.flatMap(([, value = '']) => (value.startsWith('%d/') ? [value] : []));
  expect(used.sort()).toEqual(credentials.sort());
});

test('writes only into its state directories', () => {
  const [made = ''] = values('StateDirectory');
  const directories = made.split(' ').map((name) => `%S/${name}`);
  const places = Object.fromEntries(values('Environment').map((pair) => pair.split('=', 2)));
  expect(directories).toContain(places.STATE_DIR);
  expect(directories).toContain(places.TRANSFER_DIRS);
  expect(directories).toContain(places.HOME);
  // Below STATE_DIR every transfer would be refused.
  expect(`${places.TRANSFER_DIRS}/`.startsWith(`${places.STATE_DIR}/`)).toBe(false);
});

test.runIf(analyze)('passes systemd-analyze verify and security', () => {
  const file = path.join(dir, 'proxmox-mcp.service');
  // Nothing is installed at that path on this machine.
  writeFileSync(file, unit.replace('/usr/local/bin/proxmox-mcp', process.execPath));
  const run = (args: string[]) => execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: 'pipe' });
  expect(run(['verify', '--man=no', file])).toBe('');
  // 0 is the best and 100 the worst.
  run(['security', '--offline=true', '--threshold=20', file]);
});
