import { expect, test } from 'vitest';
import { createRedactor } from './redact.ts';

const SIZE = 1_000_000;

/**
 * Repeated beginnings without an end, for which a pattern with two alternatives needs quadratic time: hours for a megabyte,
 * where each of these takes a fraction of a second. The limit only distinguishes the two.
 */
const UNITS = [
  'a',
  '-',
  ':',
  '=',
  '!a',
  '\n',
  ' ',
  '-----BEGIN RSA PRIVATE KEY-----\n',
  '-----END RSA PRIVATE KEY-----\n',
  '-----BEGIN PRIVATE KEY-----\nAAAA\n',
  '-----BEGIN A',
  'Private-Lines: 9999\n',
  'AAAAAAAAAAAAAAAAAAAAAAAA\n',
  'password=',
  'password:',
  'password=%',
  'password="',
  "password='a\\",
  `${'A'.repeat(55)}PASSWORD:`,
  'password \t\t\t ',
  'token: ',
  ' --password ',
  '://',
  'a://b:c@',
  '://a:',
  'authorization: bearer ',
  'bearer a',
  'eyJ',
  'eyJaaaaaaaa.',
  `SG.${'a'.repeat(128)}.${'a'.repeat(300)} `,
  'ghp_',
  'xoxb-1-a-',
  'AKIA',
  'mysql://a',
  'https://x-oauth-basic@github.com',
  'full-tokenid value ',
  'b3BlbnNzaC1rZXktdjE',
  'LS0tLS1CRUdJTiBQUklWQVRF',
  '$6$',
  'PVE:a@b:',
  '\u001b[',
  '\u001b[31m',
  'a\u200b',
  '[redacted: token] password=abc ',
  'correct horse',
  'correct horse batter',
];

test.each(UNITS)('redacts a megabyte of %j in linear time', async (unit) => {
  const redactor = createRedactor({
    secrets: () => [{ kind: 'SSH_PASSWORD', value: 'correct horse battery' }],
  });
  const text = unit.repeat(Math.ceil(SIZE / unit.length));
  const { data } = await redactor.clean({ text });
  expect(String(data.text).length).toBeGreaterThan(0);
  expect(redactor.own(text).length).toBeGreaterThan(0);
});
