import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decideHostKey,
  fingerprint,
  formatEntry,
  hostKeyAlgorithms,
  hostName,
  keyTypeOf,
  lookUp,
  parseKnownHosts,
} from './known-hosts.ts';

function makeKey(type: string, body: Buffer = randomBytes(32)): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), body]);
}

const ed = makeKey('ssh-ed25519');
const ec = makeKey('ecdsa-sha2-nistp256');
const rsa = makeKey('ssh-rsa');
const line = (hosts: string, key: Buffer) => formatEntry(hosts, key);
const find = (text: string, name: string) => lookUp(parseKnownHosts(text, 'kh'), name);

function hashed(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

describe('parseKnownHosts', () => {
  test('accepts comments, blank lines, CRLF, tabs and trailing comments, as OpenSSH does', () => {
    const text = `# head\r\n\r\n  ${line('a', ed)} root@a\r\nb\tssh-rsa\t${rsa.toString('base64')}\r\n`;
    expect(parseKnownHosts(text, 'kh').map((e) => [e.hosts, e.keyType, e.line])).toEqual([
      ['a', 'ssh-ed25519', 3],
      ['b', 'ssh-rsa', 4],
    ]);
  });

  test('skips broken lines and keys of another type than stated', () => {
    const text = [
      'a',
      'a ssh-ed25519',
      'a ssh-ed25519 !!!!',
      `a ssh-rsa ${ed.toString('base64')}`,
      `@future a ${line('', ed).trim()}`,
    ].join('\n');
    expect(parseKnownHosts(text, 'kh')).toEqual([]);
  });

  test('does not treat a certificate authority as a host key', () => {
    const text = `@cert-authority a ${line('', ed).trim()}`;
    const entries = find(text, 'a');
    expect(entries.map(({ marker }) => marker)).toEqual(['cert-authority']);
    expect(decideHostKey('accept-new', entries, ed)).toEqual({ action: 'accept and save' });
    expect(decideHostKey('strict', entries, ed)).toMatchObject({ action: 'refuse', why: 'unknown' });
    expect(hostKeyAlgorithms(entries)).toEqual(hostKeyAlgorithms([]));
  });

  test('accepts any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, name) => {
        for (const entry of lookUp(parseKnownHosts(text, 'kh'), name)) expect(entry.line).toBeGreaterThan(0);
      }),
    );
  });

  test('finds entries of formatEntry among any other lines', () => {
    const junk = fc.array(fc.string().map((s) => s.replaceAll('\n', ' ')));
    fc.assert(
      fc.property(
        junk,
        junk,
        fc.domain(),
        fc.integer({ min: 1, max: 65535 }),
        (before, after, host, port) => {
          const name = hostName(host, port);
          const text = [...before.map((s) => `#${s}`), line(name, ec), ...after].join('\n');
          const entry = find(text, name).find((e) => e.line === before.length + 1);
          expect(entry?.key.equals(ec)).toBe(true);
        },
      ),
    );
  });
});

describe('lookUp', () => {
  test.each([
    ['host.lan', 'host.lan', true],
    ['Host.LAN', 'host.lan', true],
    ['host.lan', 'HOST.lan', true],
    ['other,host.lan', 'host.lan', true],
    ['*.lan', 'host.lan', true],
    ['*.lan', 'host.lan.evil', false],
    ['h?st.lan', 'host.lan', true],
    ['h?st.lan', 'hoost.lan', false],
    ['*.lan,!host.lan', 'host.lan', false],
    ['!host.lan,*.lan', 'host.lan', false],
    ['!host.lan', 'other.lan', false],
    ['[host.lan]:2222', '[host.lan]:2222', true],
    ['[host.lan]:2222', 'host.lan', false],
    ['[*]:2222', '[host.lan]:2222', true],
    ['host.lan', '[host.lan]:2222', false],
    ['', 'host.lan', false],
  ])('%s for %s: %s', (hosts, name, expected) => {
    expect(find(line(hosts === '' ? ',' : hosts, ed), name)).toHaveLength(expected ? 1 : 0);
  });

  test('matches hashed names', () => {
    expect(find(line(hashed('host.lan'), ed), 'Host.lan')).toHaveLength(1);
    expect(find(line(hashed('[host.lan]:2222'), ed), '[host.lan]:2222')).toHaveLength(1);
    expect(find(line(hashed('host.lan'), ed), 'host2.lan')).toHaveLength(0);
    expect(find(line('|1|x', ed), 'host.lan')).toHaveLength(0);
    expect(find(line('|2|AAAA|AAAA', ed), 'host.lan')).toHaveLength(0);
  });

  test('matches a pattern of asterisks in bounded time', () => {
    const pattern = `${'*a'.repeat(2000)}b`;
    const start = performance.now();
    expect(find(line(pattern, ed), 'a'.repeat(4000))).toHaveLength(0);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('decideHostKey', () => {
  const known = (...lines: string[]) => parseKnownHosts(lines.join('\n'), 'kh');
  const policies = ['strict', 'accept-new', 'insecure'] as const;

  test('accepts a known key under every policy', () => {
    for (const policy of policies) {
      expect(decideHostKey(policy, known(line('a', rsa), line('a', ed)), ed)).toEqual({ action: 'accept' });
    }
  });

  test('refuses, stores or accepts an unknown host by the policy', () => {
    expect(decideHostKey('strict', [], ed)).toEqual({ action: 'refuse', why: 'unknown' });
    expect(decideHostKey('accept-new', [], ed)).toEqual({ action: 'accept and save' });
    expect(decideHostKey('insecure', [], ed)).toEqual({ action: 'accept' });
  });

  test('refuses a changed key under every policy, and names the line of the old key of that type', () => {
    const entries = known(line('a', rsa), line('a', makeKey('ssh-ed25519')));
    for (const policy of policies) {
      const verdict = decideHostKey(policy, entries, ed);
      expect(verdict).toMatchObject({ action: 'refuse', why: 'changed', known: { line: 2 } });
    }
  });

  test('treats a key of another type than the known ones as changed, as OpenSSH does', () => {
    for (const policy of policies) {
      expect(decideHostKey(policy, known(line('a', ec)), ed)).toMatchObject({
        action: 'refuse',
        why: 'changed',
      });
    }
  });

  test('refuses a revoked key even if it is listed as known', () => {
    const entries = known(line('a', ed), `@revoked * ${line('', ed).trim()}`);
    for (const policy of policies) {
      expect(decideHostKey(policy, entries, ed)).toMatchObject({ action: 'refuse', why: 'revoked' });
    }
  });

  test('does not treat a host as known because another key is revoked', () => {
    expect(decideHostKey('accept-new', known(`@revoked * ${line('', rsa).trim()}`), ed)).toEqual({
      action: 'accept and save',
    });
  });
});

test('offers known key types first', () => {
  const entries = parseKnownHosts([line('a', rsa), line('a', ec)].join('\n'), 'kh');
  expect(hostKeyAlgorithms(entries)).toEqual([
    'ecdsa-sha2-nistp256',
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-rsa',
    'ssh-ed25519',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
  ]);
});

test('computes fingerprint and type of a key from ssh-keygen', () => {
  const key = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl', 'base64');
  expect(keyTypeOf(key)).toBe('ssh-ed25519');
  // GitHub's, as they publish it.
  expect(fingerprint(key)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
});
