import { describe, expect, test } from 'vitest';
import { formatCursor, parseCursor } from './log-cursor.ts';
import { parseLogOutput } from './log-output.ts';
import { patternProblem } from './log-pattern.ts';
import type { LogRequest } from './log-types.ts';

const request = (changes: Partial<LogRequest> = {}): LogRequest => ({
  path: '/var/log/a.log',
  regex: false,
  context: 0,
  keep: 'tail',
  lines: 100,
  countOnly: false,
  characterLimit: 1000,
  signal: new AbortController().signal,
  ...changes,
});

const JOURNAL = 's=ab;i=1;b=cd;m=2;t=3;x=4';
const SHORT = 's=ab;i=1;t=3';

describe('a cursor', () => {
  const file = { kind: 'file', file: '8:1', first: 0, end: 500, seen: 20, clock: null } as const;
  const journal = { kind: 'journal', after: SHORT, newest: null, seen: 0, clock: null } as const;

  test.each([
    file,
    { ...file, end: null, clock: 1_778_760_000 },
    journal,
    { ...journal, after: null, newest: SHORT, seen: 7, clock: 9 },
  ])('is read back %#', (cursor) =>
    expect(parseCursor(formatCursor(cursor, 101, request()), 101, request())).toEqual(cursor),
  );

  test('is refused for another container, another filter, or if it was changed', () => {
    const text = formatCursor(file, 101, request());
    const refused = (cursor: string, vmid = 101, changes: Partial<LogRequest> = {}) =>
      expect(() => parseCursor(cursor, vmid, request(changes))).toThrow(/did not return the cursor/);
    refused(text, 102);
    refused(text, 101, { match: 'x' });
    refused(text, 101, { keep: 'head' });
    refused(text, 101, { path: '/etc/shadow' });
    for (const bad of [
      '',
      'x',
      `${text}.1`,
      text.replace('8:1', '8:1;rm'),
      text.replace('500', '-5'),
      text.replace('f.', 'j.'),
    ])
      refused(bad);
    refused(formatCursor(journal, 101, request()).replace(SHORT, `${SHORT};y`));
    // Another number of lines may be asked for.
    expect(parseCursor(text, 101, request({ lines: 5 }))).toEqual(file);
  });
});

test('a cursor of the journal has only what identifies the entry', () => {
  const [s, b] = ['72ebc766fb954c41908301e62d6a6c45', '4fd366feaf0c4ffa81899330fd0e28fd'];
  const newest = `s=${s};i=6ee;b=${b};m=9753e9b9b;t=66136bc9a12a4;x=ee1d20d8b0656c4a`;
  const cursor = { kind: 'journal', after: null, newest, seen: 7, clock: null } as const;
  const text = formatCursor(cursor, 101, request());
  expect(text).toMatch(new RegExp(`^j\\.-\\.s=${s};i=6ee;t=66136bc9a12a4\\.-\\.7\\.[\\w-]{8}$`));
  expect(parseCursor(text, 101, request())).toEqual({ ...cursor, newest: `s=${s};i=6ee;t=66136bc9a12a4` });
});

describe('a pattern', () => {
  test.each([
    'error|fail',
    '[]]x',
    '[^]a]',
    '[[:digit:]]{1,3}',
    'a{5}',
    '(a|b)+$',
    '\\.',
    'a{2,}',
    '[\\1]',
    '\\\\1',
  ])('%s is allowed', (pattern) => expect(patternProblem(pattern)).toBeNull());
  test.each(['(a)\\1', '(a{1,1000}){1,1000}', 'a\\', '[a', 'x{30000}', '\\\\\\1'])(
    '%s is refused',
    (pattern) => expect(patternProblem(pattern)).not.toBeNull(),
  );
});

describe('a page', () => {
  const page = (text: string, changes: Partial<LogRequest> = {}, seen = 0) => {
    const asked = request(changes);
    const answer = parseLogOutput(Buffer.from(`W began\n${text}W ended\n`), 'W', 100_000);
    expect(answer.failure).toBeNull();
    const cursor = { kind: 'file', file: '8:1', first: 0, end: 90, seen, clock: null } as const;
    return answer.page(asked, seen === 0 ? null : cursor);
  };

  test('of a file has its line numbers, the total and both cursors', () => {
    const found = page('W file 8:1 0 90 80\nW lines\n3:30:c\n4:40:d:e\n', { match: 'x' });
    expect(found).toEqual({
      lines: [
        { number: 30, text: 'c', kind: 'match', unit: null },
        { number: 40, text: 'd:e', kind: 'match', unit: null },
      ],
      total: 4,
      first: null,
      last: null,
      remaining: 2,
      older: { kind: 'file', file: '8:1', first: 0, end: 90, seen: 2, clock: null },
      newer: { kind: 'file', file: '8:1', first: 80, end: null, seen: 0, clock: null },
    });
  });

  test('has the first of all matches apart from the last ones, unless they contain it', () => {
    const found = page('W file 8:1 0 90 80\nW lines\nW first 1:7:a\n3:30:c\n4:40:d\n', { match: 'x' });
    expect(found.first).toEqual({ number: 7, text: 'a', kind: 'match', unit: null });
    expect(found.lines.map(({ number }) => number)).toEqual([30, 40]);
    expect(found).toMatchObject({ total: 4, older: { seen: 2 } });
    const all = page('W file 8:1 0 90 80\nW lines\nW first 1:7:a\n1:7:a\n2:40:d\n', { match: 'x' });
    expect([all.first, all.lines.length]).toEqual([null, 2]);
    // The line of a count, which may look like a report.
    const count = page('W file 8:1 0 90 80\nW first 1:7:W total 9\nW last 3:8:b\nW total 3\n', {
      match: 'x',
      countOnly: true,
    });
    expect(count).toMatchObject({ total: 3, first: { text: 'W total 9' }, last: { number: 8, text: 'b' } });
  });

  test('of several files has no line numbers', () => {
    const output = 'W set 5 /a.1\nW set 9 /a\nW file 8:1 0 90 80\nW lines\n1:4:a\n';
    expect(page(output, { path: '/a*', match: 'a' }).lines[0]?.number).toBeNull();
  });

  test('has groups with bounded numbers and texts', () => {
    const cut = `${'x'.repeat(200)} ${'s'.repeat(99)}`;
    const answer = parseLogOutput(
      Buffer.from(
        `W file 8:1 0 9 9\nW group 3\tT1\tT2\ta\tb\nW group x\t\t\t${cut}\nW total 4\nW groups 7 1e9 2\nW ended\n`,
      ),
      'W',
      1000,
    );
    expect(answer.groups).toEqual({
      shown: [
        { lines: 3, first: 'T1', last: 'T2', text: 'a b' },
        // The last word may be a part of a secret.
        { lines: 0, first: '', last: '', text: `${'x'.repeat(200)}…` },
      ],
      total: 7,
      droppedLines: 0,
      error: 2,
    });
  });

  test('has no cursor for later lines if its time has an end', () => {
    const text = 'W clock 1778760000\nW file 8:1 0 90 80\nW lines\n9:a\n';
    expect(page(text, { since: '-60', until: '-10' }).newer).toBeNull();
    expect(page('W file 8:1 0 90 80\nW lines\n3:50:e\n', { until: '-10', keep: 'head' }).newer).toBeNull();
    expect(page(text, { since: '-60' }).newer).not.toBeNull();
  });

  test('before another page counts what that has shown', () => {
    expect(page('W file 8:1 0 90 80\nW lines\n1:30:c\n2:40:d\n', { match: 'x' }, 2)).toMatchObject({
      total: 4,
      remaining: 0,
      older: null,
      newer: null,
    });
  });

  test('keeps the newest lines within the limit, and the rest for the next page', () => {
    const lines = Array.from({ length: 50 }, (_, index) => `${index + 1}:line ${index + 1}\n`).join('');
    const found = page(`W file 8:1 0 900 900\nW lines\n${lines}`, { characterLimit: 100 });
    expect(found.lines.at(-1)).toMatchObject({ number: 50, text: 'line 50', kind: 'match' });
    expect(found.lines.length).toBeLessThan(10);
    expect(found.older).toMatchObject({ seen: found.lines.length });
    expect(found.remaining).toBe(50 - found.lines.length);
    // One line is shown even if it is longer.
    expect(page('W file 8:1 0 9 9\nW lines\n1:abcdef\n', { characterLimit: 1 }).lines).toHaveLength(1);
  });

  test('marks context and gaps', () => {
    const found = page('W file 8:1 0 90 80\nW total 2\nW lines\n1:4-a\n2:5:b\n3:--\n4:9:c\n', {
      match: 'x',
      context: 1,
    });
    expect(found.lines.map(({ kind }) => kind)).toEqual(['context', 'match', 'gap', 'match']);
    expect(found.total).toBe(2);
  });

  test('of the journal without a match does not claim a total', () => {
    const found = page(`W journal ${JOURNAL}\nW lines\n1:a\n2:b\n`, { path: undefined, lines: 2 });
    expect(found).toMatchObject({ total: null, remaining: null });
    expect(found.older).toMatchObject({ kind: 'journal', after: null, newest: JOURNAL, seen: 2 });
    expect(page(`W journal ${JOURNAL}\nW lines\n1:a\n`, { path: undefined, lines: 2 }).older).toBeNull();
  });

  test('ignores numbers and cursors that are none', () => {
    expect(page('W file x;y 0 90 80\nW lines\n1:a\n')).toMatchObject({ older: null, newer: null });
    expect(page('W journal $(id)\nW lines\n1:a\n', { path: undefined })).toMatchObject({
      older: null,
      newer: null,
    });
    expect(page('W file 8:1 0 -9 1e9\nW lines\nx:a\n99999999999999999999:b\n').lines).toEqual([]);
  });

  test('of the first lines continues after those, and at its end with lines that are written later', () => {
    const head = { match: 'x', keep: 'head', lines: 2 } as const;
    const first = page('W file 8:1 0 90 80\nW lines\n1:30:c\n2:40:d\n', head);
    expect(first).toMatchObject({ total: null, remaining: null, older: null });
    expect(first.newer).toEqual({ kind: 'file', file: '8:1', first: 0, end: null, seen: 2, clock: null });
    const last = page('W file 8:1 0 90 80\nW lines\n3:50:e\n', head, 2);
    expect(last.newer).toMatchObject({ first: 80, seen: 0 });
    const journal = page(`W journal ${JOURNAL}\nW lines\n1:a\n2:b\n`, { ...head, path: undefined });
    expect(journal.newer).toMatchObject({ newest: JOURNAL, seen: 2 });
    // Not all lines fit into the limit: the first ones are shown.
    const cut = page('W file 8:1 0 90 80\nW lines\n1:30:c\n2:40:d\n', {
      ...head,
      lines: 9,
      characterLimit: 15,
    });
    expect(cut.lines.map(({ number }) => number)).toEqual([30]);
    expect(cut.newer).toMatchObject({ first: 0, seen: 1 });
  });

  test('drops the line that the limit of bytes has cut, at the end of the first lines', () => {
    const answer = parseLogOutput(Buffer.from('W began\nW file 8:1 0 90 80\nW lines\n1:aaaa\n2:bb'), 'W', 11);
    expect(answer.page(request({ keep: 'head' }), null).lines.map(({ text }) => text)).toEqual(['aaaa']);
  });

  test('keeps the time of the first page, which relative times refer to', () => {
    const text = 'W clock 1778760000\nW file 8:1 0 90 80\nW lines\n9:a\n';
    const { older, newer } = page(text, { since: '-60' });
    expect([older?.clock, newer?.clock]).toEqual([1_778_760_000, 1_778_760_000]);
    expect(page(text.replace('1778760000', '$(id)'), { since: '-60' }).newer?.clock).toBeNull();
  });

  test('of the journal has the unit of each line, unless its name cannot be one', () => {
    const text = '1:4-\tT kernel: a\n2:5:a@b.service\tT x: y\n3:--\n4:9:rm -rf;\tT z: t\n';
    const found = page(`W journal ${JOURNAL}\nW units\nW lines\n${text}`, {
      path: undefined,
      match: 'x',
      context: 1,
    });
    expect(found.lines).toEqual([
      { number: null, text: 'T kernel: a', kind: 'context', unit: null },
      { number: null, text: 'T x: y', kind: 'match', unit: 'a@b.service' },
      { number: null, text: '--', kind: 'gap', unit: null },
      { number: null, text: 'T z: t', kind: 'match', unit: null },
    ]);
  });

  test('counts by unit, with bounded names and numbers', () => {
    const units = Array.from({ length: 30 }, (_, index) => `W unit ${index} u${index} x\ty\n`).join('');
    const answer = parseLogOutput(
      Buffer.from(`W journal ${JOURNAL}\nW units\nW total 9\n${units}W names 30\nW ended\n`),
      'W',
      1000,
    );
    expect(answer.units).toHaveLength(20);
    expect(answer.units[2]).toEqual({ name: 'u2 x<U+0009>y', lines: 2 });
    expect(answer.unitsTotal).toBe(30);
    expect(parseLogOutput(Buffer.from('W file 8:1 0 9 9\nW total 3\n'), 'W', 9).unitsTotal).toBeNull();
  });

  test('has no line numbers if lines are selected by time', () => {
    const output = 'W file 8:1 0 90 80\nW lines\n1:4:a\n';
    expect(page(output, { match: 'a' }).lines[0]?.number).toBe(4);
    expect(page(output, { match: 'a', since: '-60' }).lines[0]).toMatchObject({ number: null, text: 'a' });
    expect(page(output, { match: 'a', until: '-60' }).lines[0]?.number).toBeNull();
  });

  test('of a compressed file has no cursor for later lines', () => {
    expect(page('W file 8:1 0 90 -\nW lines\n1:a\n').newer).toBeNull();
  });

  test('names similar files on one line each, and a damaged file', () => {
    const answer = (text: string) => parseLogOutput(Buffer.from(text), 'W', 1000);
    const found = answer(
      'W near 5 /var/log/a b.1\nW near x /a\tb\nW file 8:1 0 9 -\nW lines\n1:a\nW broken 1\nW ended\n',
    );
    expect(found.similar).toEqual([
      { path: '/var/log/a b.1', bytes: 5 },
      { path: '/a<U+0009>b', bytes: null },
    ]);
    expect(found.damaged).toBe(true);
    expect(found.page(request(), null).lines.map(({ text }) => text)).toEqual(['a']);
    expect(answer('W file 8:1 0 9 9\nW lines\n1:W broken 1\nW ended\n').damaged).toBe(false);
    expect(answer('W file 8:1 0 9 -\nW total 3\nW broken 1\nW ended\n').damaged).toBe(true);
  });

  test('an answer that names no log is a failure', () => {
    expect(parseLogOutput(Buffer.from('W began\nhello\n'), 'W', 10).failure).not.toBeNull();
    expect(parseLogOutput(Buffer.from('W began\nW failed IO a b\n'), 'W', 10).failure).toEqual({
      code: 'IO',
      text: 'a b',
    });
  });
});
