import { expect, test } from 'vitest';
import { loadConfig } from './load.ts';
import { unquoted } from './quoted.ts';

test.each([
  ['192.0.2.10', '192.0.2.10'],
  ['"192.0.2.10"', '192.0.2.10'],
  ["'pa#ss word'", 'pa#ss word'],
  ['`it\'s "so"`', 'it\'s "so"'],
  ['""', ''],
  [' "x" ', 'x'],
  ['"', '"'],
  ['"a" or "b"', '"a" or "b"'],
  ['say "x"', 'say "x"'],
  ['\'x"', '\'x"'],
])('unquotes %s to %s', (given, value) => {
  expect(unquoted(given)).toBe(value);
});

test('removes quotes that docker --env-file kept, and warns of a quoted secret', () => {
  const env = {
    I_ACCEPT_RISKS: '"true"',
    HOST: "'192.0.2.10'",
    SSH_PORT: '""',
    SSH_USERNAME: '',
    SSH_PASSWORD: '"hunter #2"',
    LOG_LEVEL: '"debug"',
  };
  const at = { platform: process.platform, env, home: '/nowhere', cwd: '/nowhere', username: 'me' };
  const loaded = loadConfig({}, at);
  expect(loaded).toMatchObject({
    ok: true,
    config: { host: '192.0.2.10', sshPassword: 'hunter #2', logLevel: 'debug' },
    warnings: [expect.stringContaining('SSH_PASSWORD (environment) is in quotes')],
  });
  expect(loaded.ok && loaded.config.sshPort).toBeUndefined();
  expect(JSON.stringify(loaded.warnings)).not.toContain('hunter');
});
