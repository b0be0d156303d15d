import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HostEnvironment } from '../../src/config/host-environment.ts';
import { loadConfig } from '../../src/config/load.ts';
import { resolveSshTarget } from '../../src/config/ssh-target.ts';
import { nextStep } from '../../src/lib/errors.ts';
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
  /** A target whose known_hosts file has this text. */
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

  test('stores the key once under accept-new, in a private file that ssh accepts', async () => {
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

  test('appends a new key on its own line to a file without a final newline', async () => {
    const target = knowing(pin(keyOf('other'), 'other.lan').trimEnd());
    await works(target);
    expect(readFileSync(target.knownHostsWriteFile, 'utf8')).toBe(
      pin(keyOf('other'), 'other.lan') + pin(sshd.hostKey('ed25519')),
    );
  });

  test('refuses an unknown host under strict, with its fingerprint', async () => {
    const error = await failure(run(makePool(sshd.target({ hostKeyPolicy: 'strict' })), 'true'));
    expect(error.code).toBe('HOST_KEY_UNKNOWN');
    expect(error.message).toContain(keygenFingerprint(sshd.hostKey('ed25519')));
    expect(nextStep(error, 'person')).toContain('ssh-keyscan');
    expect(nextStep(error, 'model')).not.toMatch(/accept-new|ssh-keyscan/);
  });

  test('accepts an unknown host under insecure, and stores nothing', async () => {
    const target = sshd.target({ hostKeyPolicy: 'insecure' });
    await works(target);
    expect(existsSync(target.knownHostsWriteFile)).toBe(false);
  });

  test.each(['strict', 'accept-new', 'insecure'] as const)(
    'refuses a changed key under %s, with both fingerprints and the old line',
    async (hostKeyPolicy) => {
      const target = knowing(`# first line\n${pin(keyOf('old'))}`, { hostKeyPolicy });
      const error = await failure(run(makePool(target), 'true'));
      expect(error.code).toBe('HOST_KEY_CHANGED');
      expect(error.message).toContain(keygenFingerprint(sshd.hostKey('ed25519')));
      expect(error.message).toContain(keygenFingerprint(keyOf('old')));
      expect(error.message).toContain(`${target.knownHostsWriteFile}:2`);
    },
  );

  test('matches hashed entries from ssh-keygen', async () => {
    const target = knowing(pin(sshd.hostKey('ed25519')), { hostKeyPolicy: 'strict' });
    execFileSync('ssh-keygen', ['-q', '-H', '-f', target.knownHostsWriteFile], { stdio: 'ignore' });
    expect(readFileSync(target.knownHostsWriteFile, 'utf8')).toMatch(/^\|1\|/);
    await works(target);
  });

  test.each(['ecdsa', 'rsa'] as const)('accepts a host of which only the %s key is known', async (type) => {
    await works(knowing(pin(sshd.hostKey(type)), { hostKeyPolicy: 'strict' }));
  });

  test('refuses a revoked key', async () => {
    const revoked = `@revoked ${pin(sshd.hostKey('ed25519'), '*')}`;
    const error = await failure(run(makePool(knowing(revoked, { hostKeyPolicy: 'insecure' })), 'true'));
    expect(error.code).toBe('HOST_KEY_CHANGED');
    expect(error.message).toContain('revoked');
  });

  test('looks up an alias instead of host and port', async () => {
    const text = pin(sshd.hostKey('ed25519'), 'pve1');
    await works(knowing(text, { hostKeyPolicy: 'strict', hostKeyAlias: 'pve1' }));
    const error = await failure(run(makePool(knowing(text, { hostKeyPolicy: 'strict' })), 'true'));
    expect(error.code).toBe('HOST_KEY_UNKNOWN');
  });

  test('accepts the same key without a port for a host on another port, and ignores a different one', async () => {
    await works(knowing(pin(sshd.hostKey('rsa'), '127.0.0.1'), { hostKeyPolicy: 'strict' }));
    await works(knowing(pin(keyOf('old'), '127.0.0.1'), { hostKeyPolicy: 'accept-new' }));
  });

  test('finds keys in any of the files', async () => {
    const target = knowing('', { hostKeyPolicy: 'strict' });
    const second = join(sshd.dir, 'second_known_hosts');
    appendFileSync(second, pin(sshd.hostKey('ed25519')));
    await works({ ...target, knownHostsFiles: [join(sshd.dir, 'missing'), second] });
  });

  describe('system-wide files (GlobalKnownHostsFile)', () => {
    /** The target that results from ssh_config files with these texts; the user's own known_hosts file is empty. */
    const configured = (system: Record<string, string>, settings: Record<string, string> = {}, user = '') => {
      const home = mkdtempSync(join(sshd.dir, 'home-'));
      const systemSshDir = join(home, 'etc-ssh');
      mkdirSync(systemSshDir);
      mkdirSync(join(home, '.ssh'));
      writeFileSync(join(home, '.ssh', 'config'), user.replaceAll('DIR', systemSshDir));
      for (const [name, text] of Object.entries(system)) {
        writeFileSync(join(systemSshDir, name), text.replaceAll('DIR', systemSshDir));
      }
      const env = {
        I_ACCEPT_RISKS: 'true',
        HOST: '127.0.0.1',
        SSH_PORT: String(sshd.port),
        SSH_USERNAME: sshd.username,
        SSH_KEY: sshd.userKey,
        ...settings,
      };
      const at: HostEnvironment = { platform: 'linux', env, home, cwd: home, username: 'me', systemSshDir };
      const loaded = loadConfig({}, at);
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
      return resolveSshTarget(loaded.config, at);
    };
    const strict = { SSH_HOST_KEY_POLICY: 'strict' };
    const right = () => pin(sshd.hostKey('ed25519'));
    const hashed = () => {
      const file = join(mkdtempSync(join(sshd.dir, 'hashed-')), 'kh');
      writeFileSync(file, right());
      execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
      return readFileSync(file, 'utf8');
    };

    test.each([
      ['ssh_known_hosts', () => ({ ssh_known_hosts: right() })],
      ['ssh_known_hosts2', () => ({ ssh_known_hosts2: right() })],
      ['hashed names', () => ({ ssh_known_hosts: hashed() })],
      [
        'the second GlobalKnownHostsFile of the system-wide ssh_config',
        () => ({ ssh_config: 'Host *\n GlobalKnownHostsFile DIR/none-here DIR/keys\n', keys: right() }),
      ],
    ])('accept a known key under strict: %s', async (_name, files) => {
      await works(configured(files(), strict));
    });

    test('are replaced by GlobalKnownHostsFile of ~/.ssh/config', async () => {
      const files = {
        ssh_config: 'GlobalKnownHostsFile DIR/wrong\n',
        wrong: pin(keyOf('old')),
        keys: right(),
      };
      await works(configured(files, strict, 'Host 127.0.0.1\n GlobalKnownHostsFile DIR/keys\n'));
    });

    test.each(['accept-new', 'insecure', 'strict'])(
      'make another key a changed key under %s',
      async (policy) => {
        for (const named of [{}, { SSH_KNOWN_HOSTS: join(sshd.dir, 'empty-user-file') }]) {
          const target = configured(
            { ssh_known_hosts: pin(keyOf('old')) },
            { SSH_HOST_KEY_POLICY: policy, ...named },
          );
          const error = await failure(run(makePool(target), 'true'));
          expect(error.code).toBe('HOST_KEY_CHANGED');
          expect(error.message).toContain('etc-ssh/ssh_known_hosts:1');
          expect(existsSync(target.knownHostsWriteFile)).toBe(false);
        }
      },
    );

    test.each([
      ['for all hosts', '*'],
      ['for the host on any port', '127.0.0.1'],
    ])('refuse a @revoked key that the user has pinned: %s', async (_name, hosts) => {
      const pinned = knowing(right()).knownHostsWriteFile;
      const target = configured(
        { ssh_known_hosts: `@revoked ${pin(sshd.hostKey('ed25519'), hosts)}` },
        { SSH_KNOWN_HOSTS: pinned },
      );
      const error = await failure(run(makePool(target), 'true'));
      expect(error.code).toBe('HOST_KEY_CHANGED');
      expect(error.message).toContain('revoked');
    });

    test.each(['none', '/dev/null'])('are disabled by GlobalKnownHostsFile %s', async (value) => {
      const files = { ssh_config: `GlobalKnownHostsFile ${value}\n`, ssh_known_hosts: right() };
      expect((await failure(run(makePool(configured(files, strict)), 'true'))).code).toBe('HOST_KEY_UNKNOWN');
    });

    test('do not support @cert-authority, which the error states', async () => {
      const files = { ssh_known_hosts: `@cert-authority ${pin(keyOf('authority'), '*')}` };
      const error = await failure(run(makePool(configured(files, strict)), 'true'));
      expect(error.code).toBe('HOST_KEY_UNKNOWN');
      expect(error.message).toContain('ssh_known_hosts:1 trusts only a certificate authority');
    });
  });

  describe('files that PowerShell wrote', () => {
    const LE = Buffer.from([0xff, 0xfe]);
    const BE = Buffer.from([0xfe, 0xff]);
    const little = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'), 'utf16le');
    const written = (bytes: Buffer, hostKeyPolicy: 'strict' | 'accept-new' = 'strict') => {
      const target = sshd.target({ hostKeyPolicy });
      writeFileSync(target.knownHostsWriteFile, bytes);
      return target;
    };
    const right = () => pin(sshd.hostKey('ed25519'));

    test.each([
      ['UTF-16LE', () => Buffer.concat([LE, little(right())])],
      ['UTF-16BE', () => Buffer.concat([BE, little(right()).swap16()])],
      ['UTF-16LE without a byte order mark', () => little(right())],
      ['UTF-8 with a byte order mark', () => Buffer.from(`\uFEFF${right()}`)],
      ['UTF-16LE appended to UTF-8', () => Buffer.concat([Buffer.from('# mine\n'), little(right())])],
      ['UTF-8 appended to UTF-16LE', () => Buffer.concat([LE, little('# mine\n'), Buffer.from(right())])],
    ])('are read: %s', async (_name, bytes) => {
      await works(written(bytes()));
    });

    test('make a changed key an error', async () => {
      const target = written(Buffer.concat([LE, little(pin(keyOf('old')))]), 'accept-new');
      expect((await failure(run(makePool(target), 'true'))).code).toBe('HOST_KEY_CHANGED');
    });

    test('get a new key appended in their encoding', async () => {
      const other = pin(keyOf('other'), 'other.lan');
      for (const [mark, order] of [
        [LE, (bytes: Buffer) => bytes],
        [BE, (bytes: Buffer) => bytes.swap16()],
      ] as const) {
        const target = written(Buffer.concat([mark, order(little(other))]), 'accept-new');
        await works(target);
        const text = new TextDecoder(mark === LE ? 'utf-16le' : 'utf-16be').decode(
          readFileSync(target.knownHostsWriteFile),
        );
        expect(text).toBe(other.replace('\n', '\r\n') + right());
      }
    });
  });

  test('warns once when the file cannot be written, and continues', async () => {
    // root can write anywhere, except below a file.
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
    expect(logger.warnings.filter((line) => line.includes('could not be saved'))).toHaveLength(1);
  });
});
