import { describe, expect, test } from 'vitest';
import { unreachable } from './connect-errors.ts';
import type { SshTarget } from './ssh-types.ts';

const target = (host: string): SshTarget => ({
  host,
  port: 22,
  username: 'root',
  identityFiles: [],
  jumps: [],
  hostKeyPolicy: 'strict',
  knownHostsFiles: [],
  knownHostsWriteFile: '/dev/null',
});
const failed = (code: string, address?: string) =>
  Object.assign(new Error(`connect ${code}`), { code, ...(address && { address }) });
const hintFor = (host: string, error: unknown, platform: NodeJS.Platform = 'darwin') =>
  unreachable(target(host), error, 1000, platform).hint;

describe('the hint about Local Network privacy on macOS', () => {
  test.each([
    ['192.168.1.10'],
    ['10.1.2.3'],
    ['172.16.0.1'],
    ['172.31.255.255'],
    ['169.254.3.4'],
    ['fd12:3456::1'],
    ['fe80::1'],
    ['fe80::1%en0'],
    ['::ffff:192.168.1.10'],
  ])('is given for EHOSTUNREACH of %s', (address) => {
    for (const error of [failed('EHOSTUNREACH', address), failed('EHOSTUNREACH')]) {
      const hint = hintFor(address, error);
      expect(hint).toContain('System Settings → Privacy & Security → Local Network');
      expect(hint).toContain('Terminal');
      expect(hint).toContain('is not affected');
    }
  });

  test('is given for a name of such an address, for one of several addresses, and for a name in .local', () => {
    expect(hintFor('pve.lan', failed('EHOSTUNREACH', '192.168.1.10'))).toContain('Local Network');
    const several = new AggregateError([
      failed('ENETUNREACH', '2001:db8::1'),
      failed('EHOSTUNREACH', '192.168.1.10'),
    ]);
    expect(hintFor('pve.lan', several)).toContain('Local Network');
    expect(hintFor('pve.local', failed('ENOTFOUND'))).toContain('Local Network');
  });

  test.each([
    ['another platform', '192.168.1.10', failed('EHOSTUNREACH', '192.168.1.10'), 'linux'],
    ['a public address', '8.8.8.8', failed('EHOSTUNREACH', '8.8.8.8'), 'darwin'],
    ['a public name', 'pve.example.com', failed('EHOSTUNREACH', '192.0.2.1'), 'darwin'],
    ['just outside of 172.16/12', '172.32.0.1', failed('EHOSTUNREACH'), 'darwin'],
    ['a public IPv6 address', '2001:db8::1', failed('EHOSTUNREACH'), 'darwin'],
    ['no route to the network', '192.168.1.10', failed('ENETUNREACH', '192.168.1.10'), 'darwin'],
    ['a refused connection', '192.168.1.10', failed('ECONNREFUSED', '192.168.1.10'), 'darwin'],
    ['an unknown name', 'pve.lan', failed('ENOTFOUND'), 'darwin'],
  ] as const)('is not given for %s', (_name, host, error, platform) => {
    const found = hintFor(host, error, platform);
    expect(found).not.toContain('Local Network');
    expect(found).toContain(`ssh -p 22 root@${host}`);
  });
});

test.each([
  failed('ECONNREFUSED'),
  new Error('Connection lost before handshake'),
  new Error('Timed out while waiting for handshake'),
])('names the web interface for port 8006 (%s)', (error) => {
  const { hint } = unreachable({ ...target('pve'), port: 8006 }, error, 1000, 'linux');
  expect(hint).toContain('Port 8006 is the web interface');
  expect(unreachable(target('pve'), error, 1000, 'linux').hint).not.toContain('8006');
});
