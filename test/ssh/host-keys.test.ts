import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SshTarget } from '../../src/ssh/ssh-types.ts';
import { closePools, failure, makePool, recordingLogger, run } from './helpers.ts';
import { keygenFingerprint, makeKey, noSshd, type Sshd, startSshd } from './sshd.ts';

describe.skipIf(noSshd)('host keys against a real sshd', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
  });
  afterAll(() => sshd.stop());
  afterEach(closePools);

  /** A line of known_hosts that pins the public key in `path`.pub. */
  const pin = (path: string, name = `[127.0.0.1]:${sshd.port}`) => {
    const [type, key] = readFileSync(`${path}.pub`, 'utf8').split(' ');
    return `${name} ${type} ${key}\n`;
  };
  /** A target whose known_hosts file holds `text`. */
  const knowing = (text: string, overrides: Partial<SshTarget> = {}) => {
    const target = sshd.target(overrides);
    writeFileSync(target.knownHostsWriteFile, text);
    return target;
  };
  const works = async (target: SshTarget) => {
    expect(await run(makePool(target), 'echo in')).toMatchObject({ stdout: 'in\n', code: 0 });
  };
  const keyOf = (name: string) => {
    const path = join(sshd.dir, name);
    return existsSync(path) ? path : makeKey(sshd.dir, name);
  };

  test('accept-new records the key once, in a private file that ssh itself then trusts', async () => {
    const file = join(sshd.dir, 'new', 'folder', 'known_hosts');
    const target = sshd.target({ knownHostsFiles: [file], knownHostsWriteFile: file });
    await works(target);
    const written = readFileSync(file, 'utf8');
    expect(written).toBe(pin(sshd.hostKey('ed25519')));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
    await works({ ...target, hostKeyPolicy: 'strict' });
    expect(readFileSync(file, 'utf8')).toBe(written);
    const args = [
      '-F',
      'none',
      '-i',
      sshd.userKey,
      '-p',
      String(sshd.port),
      '-o',
      `UserKnownHostsFile=${file}`,
    ];
    const options = ['-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes'];
    const out = execFileSync('ssh', [...args, ...options, `${sshd.username}@127.0.0.1`, 'echo ssh']);
    expect(out.toString()).toBe('ssh\n');
  });

  test('a new key goes on a line of its own behind a file without a last line end', async () => {
    const target = knowing(pin(keyOf('other'), 'other.lan').trimEnd());
    await works(target);
    expect(readFileSync(target.knownHostsWriteFile, 'utf8')).toBe(
      pin(keyOf('other'), 'other.lan') + pin(sshd.hostKey('ed25519')),
    );
  });

  test('strict refuses an unknown host and tells its fingerprint', async () => {
    const error = await failure(run(makePool(sshd.target({ hostKeyPolicy: 'strict' })), 'true'));
    expect(error.code).toBe('HOST_KEY_UNKNOWN');
    expect(error.message).toContain(keygenFingerprint(sshd.hostKey('ed25519')));
    expect(error.hint).toContain('ssh-keyscan');
  });

  test('insecure accepts an unknown host and records nothing', async () => {
    const target = sshd.target({ hostKeyPolicy: 'insecure' });
    await works(target);
    expect(existsSync(target.knownHostsWriteFile)).toBe(false);
  });

  test.each(['strict', 'accept-new', 'insecure'] as const)(
    'a changed key is refused under %s, with both fingerprints and the old line',
    async (hostKeyPolicy) => {
      const target = knowing(`# first line\n${pin(keyOf('old'))}`, { hostKeyPolicy });
      const error = await failure(run(makePool(target), 'true'));
      expect(error.code).toBe('HOST_KEY_CHANGED');
      expect(error.message).toContain(keygenFingerprint(sshd.hostKey('ed25519')));
      expect(error.message).toContain(keygenFingerprint(keyOf('old')));
      expect(error.message).toContain(`${target.knownHostsWriteFile}:2`);
    },
  );

  test('hashed entries made by ssh-keygen are understood', async () => {
    const target = knowing(pin(sshd.hostKey('ed25519')), { hostKeyPolicy: 'strict' });
    execFileSync('ssh-keygen', ['-q', '-H', '-f', target.knownHostsWriteFile], { stdio: 'ignore' });
    expect(readFileSync(target.knownHostsWriteFile, 'utf8')).toMatch(/^\|1\|/);
    await works(target);
  });

  test.each(['ecdsa', 'rsa'] as const)(
    'a host known by its %s key alone is not taken for changed',
    async (type) => {
      await works(knowing(pin(sshd.hostKey(type)), { hostKeyPolicy: 'strict' }));
    },
  );

  test('a revoked key is refused', async () => {
    const revoked = `@revoked ${pin(sshd.hostKey('ed25519'), '*')}`;
    const error = await failure(run(makePool(knowing(revoked, { hostKeyPolicy: 'insecure' })), 'true'));
    expect(error.code).toBe('HOST_KEY_CHANGED');
    expect(error.message).toContain('revoked');
  });

  test('an alias stands for host and port', async () => {
    const text = pin(sshd.hostKey('ed25519'), 'pve1');
    await works(knowing(text, { hostKeyPolicy: 'strict', hostKeyAlias: 'pve1' }));
    const error = await failure(run(makePool(knowing(text, { hostKeyPolicy: 'strict' })), 'true'));
    expect(error.code).toBe('HOST_KEY_UNKNOWN');
  });

  test('on a port of its own, the same key under the bare name is enough, another one says nothing', async () => {
    await works(knowing(pin(sshd.hostKey('rsa'), '127.0.0.1'), { hostKeyPolicy: 'strict' }));
    await works(knowing(pin(keyOf('old'), '127.0.0.1'), { hostKeyPolicy: 'accept-new' }));
  });

  test('keys are found in any of the files', async () => {
    const target = knowing('', { hostKeyPolicy: 'strict' });
    const second = join(sshd.dir, 'second_known_hosts');
    appendFileSync(second, pin(sshd.hostKey('ed25519')));
    await works({ ...target, knownHostsFiles: [join(sshd.dir, 'missing'), second] });
  });

  test('a file that cannot be written: a warning, once, and on it goes', async () => {
    // root writes where it likes, but not into a folder that is a file.
    const file = join(sshd.dir, 'not-a-folder', 'known_hosts');
    writeFileSync(dirname(file), '');
    if (userInfo().uid !== 0) chmodSync(dirname(file), 0o400);
    const logger = recordingLogger();
    const target = sshd.target({
      knownHostsFiles: [],
      knownHostsWriteFile: file,
      hostKeyAlias: 'unwritable',
    });
    for (let i = 0; i < 2; i++) {
      const pool = makePool(target, { logger });
      expect(await run(pool, 'echo in')).toMatchObject({ stdout: 'in\n' });
    }
    expect(logger.warnings.filter((line) => line.includes('not pinned'))).toHaveLength(1);
  });
});
