import { expect, test } from 'vitest';
import { parseLogs, parseSystem } from './container-facts.ts';
import { reportOf } from './report-fixture.ts';

test('the name of the system', () => {
  const { parts } = reportOf({
    os: 'ID=alpine\nVERSION_ID=3.22\nPRETTY_NAME="Alpine\tLinux"',
    zone: 'CET +0100',
  });
  expect(parseSystem(parts, 5)).toEqual({ os: 'Alpine<U+0009>Linux', uptime_s: 5, time_zone: 'CET +0100' });
  expect(parseSystem(reportOf({ os: "ID='x'\nVERSION_ID=1" }).parts, null).os).toBe('x 1');
  expect(parseSystem(reportOf({}).parts, null).os).toBe('unknown');
});

test('the last errors, from the journal or a file', () => {
  expect(parseLogs(reportOf({ journal: 'a\tb\n' }))).toEqual({
    facts: { source: 'journal', lines: ['a<U+0009>b'] },
    notChecked: [],
  });
  expect(parseLogs(reportOf({ 'file /var/log/messages': '' }))).toEqual({
    facts: { source: '/var/log/messages', lines: [] },
    notChecked: [],
  });
});

test('without a log, or one that cannot be read, errors are unknown', () => {
  const none = parseLogs(reportOf({}));
  expect(none).toMatchObject({ facts: null, notChecked: [expect.stringContaining('no journal')] });
  const failed = parseLogs(reportOf({ journal: 'Failed to open: Bad message' }, { journal: 1 }));
  expect(failed).toMatchObject({ facts: null, notChecked: [expect.stringContaining('Bad message')] });
  expect(parseLogs(reportOf({ journal: '' }, { journal: null })).facts).toBeNull();
});
