import { expect, test } from 'vitest';
import { bearerToken, namedTokens } from './token-formats.ts';

const TOKEN = 'correct-horse-battery-staple-0123456789';
const OTHER = 'another-horse-battery-staple-0123456789';
const HASH = 'AB'.repeat(32);

test('parses lines of name, scopes and token, and ignores comments and empty lines', () => {
  const text = `# people\nalice  read,write,confirm\t${TOKEN}\r\n\nops@home host sha256:${HASH}\nscraper metrics ${OTHER}\n`;
  expect(namedTokens().parse(text)).toEqual([
    { name: 'alice', permissions: ['read', 'write', 'confirm'], check: { text: TOKEN } },
    { name: 'ops@home', permissions: ['host'], check: { sha256: HASH.toLowerCase() } },
    { name: 'scraper', permissions: [], check: { text: OTHER } },
  ]);
});

test.each([
  ['', 'contains no token'],
  ['# alice read x', 'contains no token'],
  [TOKEN, 'line 1 has one word instead of three'],
  [`\nalice read`, 'line 2 has 2 words instead of three'],
  [`alice read, write ${TOKEN}`, 'line 1 has 4 words instead of three'],
  [`oauth:x read ${TOKEN}`, 'line 1 does not begin with a name'],
  [`local read ${TOKEN}`, 'line 1 has a reserved name'],
  [`alice read,admin ${TOKEN}`, 'line 1 has invalid scopes'],
  [`alice read,metrics ${TOKEN}`, 'line 1 has invalid scopes'],
  [`alice read,read ${TOKEN}`, 'line 1 has invalid scopes'],
  [`alice confirm ${TOKEN}`, 'line 1 has invalid scopes'],
  ['alice read short', 'line 1 has a token that is shorter than 16 characters'],
  [`alice read ${'ab'.repeat(20)}`, 'line 1 has a token that has fewer than 6 different characters'],
  [`alice read ${TOKEN}é`, 'line 1 has a token that contains characters that are not allowed in a header'],
  ['alice read sha256:abc', 'line 1 has a token that is not a SHA-256'],
  [`alice read ${TOKEN}\nalice write ${OTHER}`, 'line 2 has the same name as an earlier line'],
  [`alice read ${TOKEN}\nbob write ${TOKEN}`, 'line 2 has the same token as an earlier line'],
])('rejects the token list %j: %s', (text, problem) => {
  const { error } = namedTokens().safeParse(text);
  const message = error?.issues[0]?.message ?? 'no error';
  expect(message).toContain(problem);
  for (const word of text.split(/\s+/)) if (word.length > 8) expect(message).not.toContain(word);
});

test('parses a single token', () => {
  expect(bearerToken().parse(` ${TOKEN}\n`)).toBe(TOKEN);
});

test.each([
  ['changeme', 'is shorter than 16 characters'],
  [`${TOKEN}\n${OTHER}`, 'contains a space'],
  ['x'.repeat(64), 'has fewer than 6 different characters'],
])('rejects the token %j: %s', (text, problem) => {
  expect(bearerToken().safeParse(text).error?.issues[0]?.message).toContain(problem);
});
