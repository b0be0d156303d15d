import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SshTarget } from '../../src/ssh/ssh-types.ts';
import { closePools, failure, makePool, recordingLogger, run } from './helpers.ts';
import { makeKey, noSshd, type Sshd, startSshd } from './sshd.ts';

describe.skipIf(noSshd)('login to a real sshd', () => {
  let sshd: Sshd;
  let agent: { readonly socket: string; readonly child: ChildProcess };
  let stranger: string;
  let locked: string;

  beforeAll(async () => {
    sshd = await startSshd();
    stranger = makeKey(sshd.dir, 'stranger');
    locked = makeKey(sshd.dir, 'locked', 'ed25519', 'open sesame');
    appendFileSync(join(sshd.dir, 'authorized_keys'), readFileSync(`${locked}.pub`));
    const socket = join(sshd.dir, 'agent.sock');
    agent = { socket, child: spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }) };
    for (let i = 0; i < 100 && !agentAnswers(); i++) await sleep(20);
  });
  afterAll(async () => {
    agent.child.kill();
    await sshd.stop();
  });
  afterEach(async () => {
    await closePools();
    sshAdd('-D');
  });

  function sshAdd(...args: string[]): void {
    execFileSync('ssh-add', ['-q', ...args], { env: { SSH_AUTH_SOCK: agent.socket }, stdio: 'ignore' });
  }
  function agentAnswers(): boolean {
    try {
      sshAdd('-D');
      return true;
    } catch {
      return false;
    }
  }
  const login = async (overrides: Partial<SshTarget>) => {
    const logger = recordingLogger();
    const result = await run(makePool(sshd.target(overrides), { logger }), 'echo in');
    expect(result.stdout).toBe('in\n');
    return logger.lines
      .filter((line) => line.includes(': trying '))
      .map((line) => line.replace(/.*: trying /, ''));
  };

  test('uses a key of the agent without a key file', async () => {
    sshAdd(sshd.userKey);
    expect(await login({ identityFiles: [], agent: agent.socket })).toEqual(['agent key "user"']);
  });

  test('uses an RSA key from a file and from the agent', async () => {
    const rsa = makeKey(sshd.dir, 'user_rsa', 'rsa');
    appendFileSync(join(sshd.dir, 'authorized_keys'), readFileSync(`${rsa}.pub`));
    expect(await login({ identityFiles: [rsa] })).toEqual([`key file ${rsa}`]);
    sshAdd(rsa);
    expect(await login({ identityFiles: [], agent: agent.socket })).toEqual(['agent key "user_rsa"']);
  });

  test('tries a matching agent key first, then the named file, before other agent keys', async () => {
    sshAdd(stranger);
    expect(await login({ agent: agent.socket })).toEqual([`key file ${sshd.userKey}`]);
    sshAdd(sshd.userKey);
    expect(await login({ agent: agent.socket })).toEqual(['agent key "user"']);
  });

  test('tries other agent keys after a named file, unless identitiesOnly is set', async () => {
    sshAdd(sshd.userKey);
    const tried = await login({ agent: agent.socket, identityFiles: [stranger] });
    expect(tried).toEqual([`key file ${stranger}`, 'agent key "user"']);
    const only = { agent: agent.socket, identityFiles: [stranger], identitiesOnly: true };
    const error = await failure(login(only));
    expect(error.code).toBe('SSH_AUTH_FAILED');
  });

  test('selects the agent key by the .pub file of an encrypted key', async () => {
    execFileSync('ssh-add', ['-q', locked], {
      env: {
        SSH_AUTH_SOCK: agent.socket,
        SSH_ASKPASS: askpass(),
        SSH_ASKPASS_REQUIRE: 'force',
        DISPLAY: ':0',
      },
      stdio: 'ignore',
    });
    const only = { agent: agent.socket, identitiesOnly: true };
    expect(await login({ ...only, identityFiles: [locked] })).toEqual(['agent key "locked"']);
    expect(await login({ ...only, identityFiles: [`${locked}.pub`] })).toEqual(['agent key "locked"']);
  });

  function askpass(): string {
    const path = join(sshd.dir, 'askpass');
    writeFileSync(path, '#!/bin/sh\necho "open sesame"\n', { mode: 0o700 });
    return path;
  }

  test('decrypts a key with its passphrase for each connection', async () => {
    const identity = { identityFiles: [locked], passphrase: 'open sesame' };
    expect(await login(identity)).toEqual([`key file ${locked}`]);
    expect(await login(identity)).toEqual([`key file ${locked}`]);
  });

  test.each([
    ['encrypted, no passphrase', () => ({ identityFiles: [locked] }), 'SSH_KEY_PASSPHRASE is not set'],
    [
      'encrypted, wrong passphrase',
      () => ({ identityFiles: [locked], passphrase: 'shut' }),
      'SSH_KEY_PASSPHRASE is wrong',
    ],
    ['missing', () => ({ identityFiles: [join(sshd.dir, 'nowhere')] }), 'cannot be read'],
    ['a folder', () => ({ identityFiles: [sshd.dir] }), 'cannot be read'],
    ['not a key', () => ({ identityFiles: [join(sshd.dir, 'sshd_config')] }), 'is not a private key'],
    ['a public key', () => ({ identityFiles: [`${stranger}.pub`] }), 'is a public key'],
  ])(
    'reports an unusable named key only if every other method fails: %s',
    async (_name, overrides, words) => {
      const error = await failure(login(overrides()));
      expect(error.code).toBe('SSH_KEY_UNUSABLE');
      expect(error.message).toContain(words);
      expect(error.message).not.toContain('shut');
      const { identityFiles } = overrides();
      expect(await login({ ...overrides(), identityFiles: [...identityFiles, sshd.userKey] })).toEqual([
        `key file ${sshd.userKey}`,
      ]);
    },
  );

  test('names user, address, tried keys, accepted methods and the next step after a wrong key', async () => {
    const error = await failure(login({ identityFiles: [stranger] }));
    expect(error.code).toBe('SSH_AUTH_FAILED');
    expect(error.message).toContain(`${sshd.username}@127.0.0.1:${sshd.port}`);
    expect(error.message).toContain(`tried key file ${stranger}`);
    expect(error.message).toContain('the server accepts publickey');
    expect(error.hint).toContain('authorized_keys');
  });

  test('reports that there is nothing to log in with', async () => {
    const error = await failure(login({ identityFiles: [] }));
    expect(error.code).toBe('SSH_AUTH_FAILED');
    expect(error.hint).toContain('SSH_KEY');
  });

  test('reports too many attempts, and avoids them with a named key', async () => {
    for (let i = 0; i < 7; i++) {
      const key = makeKey(sshd.dir, `many${i}`);
      sshAdd(key);
      for (const file of [key, `${key}.pub`]) rmSync(file);
    }
    const error = await failure(login({ identityFiles: [], agent: agent.socket }));
    expect(error.code).toBe('SSH_AUTH_FAILED');
    expect(error.message).toContain('Too many authentication failures');
    expect(await login({ agent: agent.socket })).toEqual([`key file ${sshd.userKey}`]);
  });

  test.each(['utf-16le', 'utf-16be'])('reads a private key that PowerShell wrote in %s', async (encoding) => {
    const bytes = Buffer.from(
      `\uFEFF${readFileSync(sshd.userKey, 'utf8').replaceAll('\n', '\r\n')}`,
      'utf16le',
    );
    const file = join(sshd.dir, `user_${encoding}`);
    writeFileSync(file, encoding === 'utf-16le' ? bytes : bytes.swap16(), { mode: 0o600 });
    expect(await login({ identityFiles: [file] })).toEqual([`key file ${file}`]);
  });

  test('ignores a missing agent while a key works, and reports it otherwise', async () => {
    const gone = join(sshd.dir, 'no-agent.sock');
    expect(await login({ agent: gone })).toEqual([`key file ${sshd.userKey}`]);
    const error = await failure(login({ agent: gone, identityFiles: [stranger] }));
    expect(error.message).toContain(`the ssh-agent at ${gone} cannot be used`);
  });
});
