import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../governance/redaction/redact.ts';
import { collectRecentGarbage } from '../lib/collect-garbage.ts';
import { AppError } from '../lib/errors.ts';
import { reply } from '../tools/shared/format.ts';
import { presentError, presentReply } from './present.ts';

const redactor = createRedactor({
  id: '0a1b2c',
  secrets: () => [
    { kind: 'SSH_PASSWORD', value: 'correct "horse"' },
    { kind: 'SSH_KEY_PASSPHRASE', value: 'root' },
  ],
});
const [MARK, SHORT] = ['[redacted: SSH_PASSWORD 0a1b2c]', '[redacted: SSH_KEY_PASSPHRASE 0a1b2c]'];

describe('a reply', () => {
  const data = { message: 'x correct "horse" y', names: ['web\u202e', { deep: '/root' }], n: 1 };

  test('is redacted once, identically in data and text', async () => {
    const result = await presentReply(
      reply(data, 'text', ({ message }) => message),
      redactor,
    );
    const covered = { message: `x ${MARK} y`, names: ['web<U+202E>', { deep: '/root' }], n: 1 };
    expect(result).toEqual({
      structuredContent: covered,
      content: [{ type: 'text', text: `x ${MARK} y` }],
    });
    const json = await presentReply(
      reply(data, 'json', () => ''),
      redactor,
    );
    expect(json.content).toEqual([{ type: 'text', text: JSON.stringify(covered, null, 2) }]);
  });
});

test('the garbage of a large reply is collected soon', async () => {
  const data = await presented();
  await setImmediate();
  await setImmediate();
  expect(data.deref()).toBeUndefined();
});

/** The data of a large reply that was presented, and that has survived collections during the call. */
async function presented(): Promise<WeakRef<object>> {
  const data = { texts: ['x'] };
  for (let i = 0; i < 4; i++) collectRecentGarbage();
  await presentReply({ data, text: () => 'x'.repeat(1_000_001) }, redactor);
  return new WeakRef(data);
}

describe('an error', () => {
  const error = new AppError('PCT_FAILED', 'No login as root with correct "horse".', 'Ask root.', {
    stderr: 'root: correct "horse"\u001b[2J',
  });

  test('redacts short values in messages of the server, but not in output of the node', async () => {
    const { structuredContent } = await presentError(error, 'text', redactor);
    expect(structuredContent).toEqual({
      success: false,
      code: 'PCT_FAILED',
      error: `No login as ${SHORT} with ${MARK}.`,
      suggestion: `Ask ${SHORT}.`,
      stderr: `root: ${MARK}<U+001B>[2J`,
    });
  });

  test('is truncated after redaction, so that no secret is cut in two', async () => {
    for (let before = 970; before < 1000; before++) {
      const long = new AppError('PCT_FAILED', `${'x'.repeat(before)}correct "horse"`, '');
      const { structuredContent } = await presentError(long, 'json', redactor);
      expect(JSON.stringify(structuredContent)).not.toMatch(/xcor|hors/);
    }
  });
});
