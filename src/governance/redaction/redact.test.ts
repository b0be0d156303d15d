import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quote } from '../../lib/quote.ts';
import { createRedactor } from './redact.ts';

const redactorOf = (...values: string[]) =>
  createRedactor({ id: '0a1b2c', secrets: () => values.map((value) => ({ kind: 'SSH_PASSWORD', value })) });

const MARK = '[redacted: SSH_PASSWORD 0a1b2c]';

describe('a known value', () => {
  test('is replaced by the name of its setting everywhere, and counted', async () => {
    const redactor = redactorOf('correct horse');
    const { data, redacted } = await redactor.clean({
      a: 'x correct horse y',
      b: [{ c: 'correct horsecorrect horse' }, 5, null],
      'correct horse': true,
    });
    expect(data).toEqual({
      a: `x ${MARK} y`,
      b: [{ c: `${MARK}${MARK}` }, 5, null],
      'correct horse': true,
    });
    expect(redacted).toBe(3);
  });

  test('is counted in each text that is repeated', async () => {
    const texts = ['x correct horse', 'x correct horse', 'x'];
    const { data, redacted } = await redactorOf('correct horse').clean({ texts, text: 'x correct horse' });
    expect(data).toEqual({ texts: [`x ${MARK}`, `x ${MARK}`, 'x'], text: `x ${MARK}` });
    expect(redacted).toBe(3);
  });

  test('of less than eight characters is redacted in texts of the server only', async () => {
    const redactor = redactorOf('root');
    expect((await redactor.clean({ a: '/root is not for root' })).data).toEqual({
      a: '/root is not for root',
    });
    expect(redactor.show('ls /root')).toBe('ls /root');
    expect(redactor.own('login with root failed')).toBe(`login with ${MARK} failed`);
  });

  test('can be registered later', () => {
    const redactor = createRedactor();
    redactor.add('HTTP_TOKEN', 'generated-token');
    expect(redactor.show('Bearer generated-token')).not.toContain('generated-token');
  });

  const value = 'p@ss "w\'ö$rd/\\<&> 1';
  const bytes = Buffer.from(value);
  test.each([
    ['verbatim', value],
    ['in JSON', JSON.stringify({ value })],
    ['in JSON of JSON', JSON.stringify(JSON.stringify(value))],
    ['in JSON with slashes escaped', JSON.stringify({ value }).replaceAll('/', '\\/')],
    ['in a URL', `https://u:${encodeURIComponent(value)}@h`],
    ['in a URL, in lower case', encodeURIComponent(value).toLowerCase()],
    ['in a form', new URLSearchParams({ value }).toString()],
    ['in HTML', `<p>p@ss &quot;w&#39;ö$rd/\\&lt;&amp;&gt; 1</p>`],
    ['quoted for a shell', quote(value)],
    ['in double quotes of a shell', 'p@ss \\"w\'ö\\$rd/\\\\<&> 1'],
    ['in base64', bytes.toString('base64')],
    ['in base64 of user:password', Buffer.from(`root:${value}`).toString('base64')],
    ['in base64 at another offset', Buffer.from(`a:${value}\n`).toString('base64')],
    ['in base64 for URLs', Buffer.from(`ab:${value}`).toString('base64url')],
    ['in hex', `00${bytes.toString('hex')}0a`],
    ['colored by grep', `p@ss "\u001b[01;31m\u001b[Kw'ö$\u001b[m\u001b[Krd/\\<&> 1`],
    ['with hyperlinks within', `p@ss "\u001b]8;;https://h/\u001b\\w'ö$\u001b]8;;\u0007rd/\\<&> 1`],
    ['with an escape sequence before each letter', [...value].join('\u001b(B')],
    ['after a byte that starts an escape sequence', `\u001b${value}`],
    ['in the title of a terminal', `\u001b]0;${value}\u0007`],
    [
      'with soft hyphens, fillers and variation selectors',
      [...value].join('\u00ad\u3164\ufe0f\u{e0101}\u2028'),
    ],
    ['with zero-width characters', [...value].join('\u200b')],
  ])('is redacted %s', (_, text) => {
    const shown = redactorOf(value).show(text);
    expect(shown).toContain(MARK);
    expect(shown).not.toMatch(/w'ö|rd\/|cEBzc|70407373|p%40ss/i);
  });

  test('is redacted when it contains an invisible character', () => {
    const value = 'correct\u00adhorse';
    expect(redactorOf(value).show(`x ${value} correcthorse`)).toBe(`x ${MARK} ${MARK}`);
  });

  test('contained in another one is redacted with it', () => {
    const redactor = redactorOf('hunter2hunter2', 'hunter2hunter2-and-more');
    expect(redactor.show('x hunter2hunter2-and-more y')).toBe(`x ${MARK} y`);
  });

  test('that overlaps itself is redacted completely', () => {
    const redactor = redactorOf('abababab');
    expect(redactor.show('xabababababy')).toBe(`x${MARK}y`);
  });
});

const secret = fc
  .string({ minLength: 8, maxLength: 30, unit: 'grapheme' })
  .filter((text) => !/^\s|[<>[\]]/.test(text));

test('leaves no value in any text, and is idempotent', async () => {
  await fc.assert(
    fc.asyncProperty(secret, fc.array(fc.string({ unit: 'grapheme' })), async (value, around) => {
      const redactor = redactorOf(value);
      const { data } = await redactor.clean({ text: around.join(value) });
      expect(String(data.text)).not.toContain(value);
      expect(await redactor.clean(data)).toEqual({ data, redacted: 0 });
    }),
  );
});

describe('placeholders', () => {
  test('have an ID that differs between redactors', () => {
    const shown = [1, 2, 3, 4].map(() => createRedactor().show('password=hunter2'));
    expect(new Set(shown).size).toBeGreaterThan(1);
    for (const text of shown) expect(text).toMatch(/^password=\[redacted: password [0-9a-f]{6}\]$/);
  });

  test('of another process are kept', () => {
    const text = 'password=[redacted: password ffffff]';
    expect(createRedactor({ id: '0a1b2c' }).show(text)).toBe(text);
  });

  test('printed by a container protect no secret', () => {
    const redactor = redactorOf('correct horse');
    expect(redactor.show('[redacted: correct horse]')).toBe(`[redacted: ${MARK}]`);
    expect(redactor.show('[redacted: SSH_PASSWORD correct horse]')).not.toContain('horse');
  });

  test('are kept when the value is a part of them', () => {
    const redactor = redactorOf('redacted');
    const once = redactor.show('redacted text');
    expect(redactor.show(once)).toBe(once);
  });
});

test('splits the text into its parts, in order', async () => {
  const parts = await redactorOf('correct horse').parts('a\u001bb correct horse c');
  expect(parts).toEqual([
    { what: 'plain', original: 'a', shown: 'a' },
    { what: 'escape', original: '\u001b', shown: '<U+001B>' },
    { what: 'plain', original: 'b ', shown: 'b ' },
    { what: 'placeholder', original: 'correct horse', shown: MARK },
    { what: 'plain', original: ' c', shown: ' c' },
  ]);
});
