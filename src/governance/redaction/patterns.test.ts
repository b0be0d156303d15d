import { describe, expect, test } from 'vitest';
import { createRedactor } from './redact.ts';
import { mayHaveVendorToken, vendorCandidates } from './tokens.ts';
import { VENDOR_RULES, vendorTokens } from './vendor-rules.ts';

const redactor = createRedactor({ id: '0a1b2c' });
/** The redacted text, with placeholders without their ID. */
const clean = async (text: string) =>
  String((await redactor.clean({ text })).data.text).replaceAll(' 0a1b2c]', ']');

const uuid = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';
/** Concatenated here, so that scanners do not report this file as a leak. */
const of = (unit: string, times: number) => unit.repeat(times);
const jwt = `eyJ${of('hbGc', 6)}.eyJ${of('zdWI', 8)}.${of('c2ln', 8)}`;

describe('tokens', () => {
  test.each([
    [
      'a Proxmox API token, in the header',
      `PVEAPIToken=root@pam!ci=${uuid}`,
      `PVEAPIToken=root@pam!ci=[redacted: token]`,
    ],
    ['a token of the Backup Server', `user@pbs!x:${uuid}`, 'user@pbs!x:[redacted: token]'],
    [
      'a ticket',
      `PVEAuthCookie=PVE:root@pam:65A1B2C3::${of('aB3/', 12)}==`,
      'PVEAuthCookie=[redacted: token]',
    ],
    [
      'output of pvesh for a new token',
      `│ full-tokenid │ root@pam!x │\n│ info │ {} │\n│ value        │ ${uuid} │`,
      '│ full-tokenid │ root@pam!x │\n│ info │ {} │\n│ value        │ [redacted: token] │',
    ],
    ['a JWT', `t ${jwt}.`, 't [redacted: token].'],
    ['GitHub', `ghp_${of('a1B2', 9)}`, '[redacted: token]'],
    ['GitHub, fine-grained', `github_pat_${of('a1B2', 20)}xy`, '[redacted: token]'],
    ['GitLab', `glpat-${of('a1B2', 5)}`, '[redacted: token]'],
    ['GitLab runner', `glrt-${of('a1B2', 5)}`, '[redacted: token]'],
    ['AWS, id', `AKIA${of('Q3EG', 4)}`, '[redacted: token]'],
    [
      'AWS, secret',
      `aws_secret_access_key = ${of('aB3/', 10)}`,
      'aws_secret_access_key = [redacted: secret]',
    ],
    ['Slack', `xoxb-${of('12', 6)}-${of('34', 6)}-${of('aBcD', 6)}`, '[redacted: token]'],
    ['Stripe', `sk_live_${of('a1B2', 6)}`, '[redacted: token]'],
    ['npm', `npm_${of('a1B2', 9)}`, '[redacted: token]'],
    ['Google', `AIza${of('a1B2', 8)}xyz`, '[redacted: token]'],
    ['OpenAI', `sk-proj-${of('a1B2', 10)}`, '[redacted: token]'],
    ['Anthropic', `sk-ant-api03-${of('a1B2', 23)}xAA`, '[redacted: token]'],
    ['Hugging Face', `hf_${of('aBcD', 8)}ef`, '[redacted: token]'],
    ['Docker', `dckr_pat_${of('aB3', 9)}`, '[redacted: token]'],
    ['Vault', `hvs.${of('aB3', 30)}`, '[redacted: token]'],
    ['Telegram', `123456789:AA${of('aB3', 11)}`, '123456789[redacted: token]'],
    ['Tailscale', `tskey-auth-${of('kB3', 5)}-${of('aB3', 8)}`, '[redacted: token]'],
    ['age', `AGE-SECRET-KEY-1${of('QZ', 29)}`, '[redacted: private key]'],
    ['WireGuard', `PrivateKey = ${of('aB3/', 10)}abc=`, 'PrivateKey = [redacted: private key]'],
    [
      '/etc/shadow',
      `root:$y$j9T$${of('aB3', 7)}$${of('aB3', 14)}:19000:0:99999:7:::`,
      'root:[redacted: password hash]:19000:0:99999:7:::',
    ],
    ['a painted token', `\u001b[01;31mghp_\u001b[m${of('a1B2', 9)}`, '<U+001B>[01;31m[redacted: token]'],
  ])('%s', async (_, text, shown) => {
    expect(await clean(text)).toBe(shown);
    // The synchronous function covers nothing less.
    expect(redactor.show(text)).not.toMatch(/a1B2|aB3|Q3EG|aBcD|zdWI|4b5a/);
  });

  test('ignores comments in the text that disable secretlint rules', async () => {
    const token = `ghp_${of('a1B2', 9)}`;
    expect(await clean(`# secretlint-disable\n${token} # secretlint-disable-line`)).not.toContain(token);
  });

  /** One token for each rule in use. The beginning of a new rule's tokens must be added to tokens.ts. */
  const SAMPLES: Readonly<Record<string, string>> = {
    aws: `AKIA${of('Q3EG', 4)}`,
    npm: `npm_${of('a1B2', 9)}`,
    slack: `xoxb-${of('12', 6)}-${of('34', 6)}-${of('aBcD', 6)}`,
    openai: `sk-${of('a1B2', 5)}T3BlbkFJ${of('a1B2', 5)}`,
    anthropic: `sk-ant-api03-${of('a1B2', 23)}xAA`,
    groq: `gsk_${of('a1B2', 13)}`,
    huggingface: `hf_${of('aBcD', 8)}ef`,
    linear: `lin_api_${of('a1B2', 10)}`,
    notion: `ntn_12345678901${of('a1B2c', 7)}`,
    sendgrid: `SG.${of('a1', 11)}.${of('a1B', 14)}x`,
    shopify: `shpat_${of('a1b2', 8)}`,
    github: `ghp_${of('a1B2', 9)}`,
    gitlab: `glpat-${of('a1B2', 5)}`,
    grafana: `glsa_${of('a1B2', 8)}_deadbeef`,
    '1password': `ops_ey${Buffer.from(of('{"a":"b"}', 12)).toString('base64').slice(0, 118)}fQ`,
    'hashicorp-vault': `hvs.${of('aB3', 30)}`,
    vercel: `vcp_${of('a1B2', 6)}`,
    databricks: `dapi${of('a1b2', 8)}`,
    docker: `dckr_pat_${of('aB3', 9)}`,
    figma: `figd_${of('a1B2', 10)}`,
  };

  test('every secretlint rule in use has a known prefix', () => {
    const names = VENDOR_RULES.map((id) => id.replace('@secretlint/secretlint-rule-', ''));
    expect(names.sort()).toEqual(Object.keys(SAMPLES).sort());
    for (const sample of Object.values(SAMPLES)) {
      expect(mayHaveVendorToken(`x ${sample}\n`), sample).toBe(true);
      expect(vendorCandidates(sample), sample).toMatchObject([{ start: 0 }]);
    }
  });

  test.each(Object.entries(SAMPLES).filter(([name]) => name !== '1password'))(
    'finds %s by its rule',
    (_, sample) => {
      expect(vendorTokens(`x ${sample}\n`)).toMatchObject([{ start: 2, end: 2 + sample.length }]);
    },
  );
});

describe('private keys', () => {
  const lines = Array.from({ length: 20 }, (_, n) => `${of('aB3/', 15)}${String(n).padStart(4, '0')}`);
  const [begin, end] = ['BEGIN', 'END'].map((word) => `-----${word} OPENSSH ${'PRIVATE'} KEY-----`);
  const key = [begin, ...lines, 'aB3=', end].join('\n');
  const MARK = '[redacted: private key]';

  test.each([
    ['whole', `a\n${key}\nb`, `a\n${MARK}\nb`],
    ['with CRLF', `a\r\n${key.replaceAll('\n', '\r\n')}\r\nb`, `a\r\n${MARK}\r\nb`],
    ['indented, in YAML', `k: |\n${key.replaceAll(/^/gm, '    ')}\nb: 1`, `k: |\n    ${MARK}\nb: 1`],
    ['in JSON', JSON.stringify({ k: key, b: 1 }), `{"k":"${MARK}","b":1}`],
    ['twice', `${key}\n${key}\n`, `${MARK}\n${MARK}\n`],
    ['with its headers', `${begin}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\n${lines.join('\n')}`, MARK],
    ['cut after some lines', `a\n${key.slice(0, 700)}`, `a\n${MARK}`],
    [
      'cut after some lines, and other text',
      `${key.split('\n').slice(0, 5).join('\n')}\n==> next file <==\n`,
      `${MARK}\n==> next file <==\n`,
    ],
    ['cut in JSON', JSON.stringify({ k: key }).slice(0, 700), `{"k":"${MARK}`],
    ['without its first line', `a b\n${key.slice(300)}\nb`, `a b\n${MARK}\nb`],
    ['without its first line, in JSON', `x y ${JSON.stringify(key).slice(300)}`, `x y ${MARK}"`],
    ['as grep prints it', `${key.replaceAll(/^/gm, '/root/id:')}\nb c`, `/root/id:${MARK}\nb c`],
    ['as grep prints it, cut', `${key.replaceAll(/^/gm, '/root/id:').slice(0, 700)}`, `/root/id:${MARK}`],
    ['in base64', `key: ${Buffer.from(key.replace('OPENSSH', 'RSA')).toString('base64')}`, `key: ${MARK}`],
    ['PuTTY', `Private-Lines: 2\n${lines.slice(0, 2).join('\n')}\nPrivate-MAC: 1`, `${MARK}\nPrivate-MAC: 1`],
  ])('redacts a key: %s', async (_, text, shown) => {
    expect(await clean(text)).toBe(shown);
  });

  test('redacts a key that contains placeholders', async () => {
    const text = [begin, ...lines.slice(0, 3), '[redacted: token]', ...lines.slice(3), end].join('\n');
    expect(await clean(text)).toBe(MARK);
  });
});

test('patterns can be turned off; known values are always redacted', async () => {
  const off = createRedactor({
    patterns: false,
    id: '0a1b2c',
    secrets: () => [{ kind: 'SSH_PASSWORD', value: 'correct horse' }],
  });
  const text = `password=hunter2 ghp_${of('a1B2', 9)} `;
  expect((await off.clean({ text: `${text}correct horse` })).data.text).toBe(
    `${text}[redacted: SSH_PASSWORD 0a1b2c]`,
  );
  expect(off.show(text)).toBe(text);
  expect(off.own(text)).toBe(text);
});
