import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createRedactor } from '../governance/redaction/redact.ts';
import { createLogger, type Logger } from './log.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'log-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

let count = 0;
async function linesOf(
  level: string,
  secrets: string[],
  write: (logger: Logger) => void,
): Promise<Record<string, unknown>[]> {
  const file = path.join(root, String(count++));
  const fd = fs.openSync(file, 'w');
  const redactor = createRedactor({
    id: '0a1b2c',
    secrets: () => secrets.map((value) => ({ kind: 'test', value })),
  });
  const logger = createLogger({ level, redactor, fd });
  write(logger);
  await logger.flush();
  write(logger);
  fs.closeSync(fd);
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
  expect(lines.length % 2).toBe(0);
  return lines.slice(0, lines.length / 2).map((line) => JSON.parse(line));
}

test('writes one JSON line per message, in order, at or above the level', async () => {
  const lines = await linesOf('info', [], (logger) => {
    logger.debug('unseen');
    logger.info({ vmid: 101 }, 'first');
    logger.error('second');
  });
  expect(lines).toMatchObject([
    { level: 'info', vmid: 101, msg: 'first' },
    { level: 'error', msg: 'second' },
  ]);
  expect(lines[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('writes nothing at level silent', async () => {
  expect(await linesOf('silent', [], (logger) => logger.error('x'))).toEqual([]);
});

test('redacts secrets in messages, fields, errors and causes', async () => {
  const secrets = ['hunter2', '"msg":"', 'hunter2 and more'];
  const lines = await linesOf('info', secrets, (logger) => {
    const error = new Error('login with hunter2 failed', { cause: new Error('hunter2 and more') });
    logger.warn({ error, deep: [{ value: 'x"msg":"y' }], key: Buffer.from('hunter2') }, 'hunter2');
  });
  expect(JSON.stringify(lines)).not.toContain('hunter2');
  expect(JSON.stringify(lines)).not.toContain('and more');
  expect(lines).toMatchObject([
    {
      msg: '[redacted: test 0a1b2c]',
      error: {
        type: 'Error',
        message: 'login with [redacted: test 0a1b2c] failed',
        cause: { message: '[redacted: test 0a1b2c]' },
      },
      deep: [{ value: 'x[redacted: test 0a1b2c]y' }],
      key: { bytes: 7 },
    },
  ]);
});

test('handles circular fields', async () => {
  const fields: Record<string, unknown> = { a: 1 };
  fields.self = fields;
  expect(await linesOf('info', [], (logger) => logger.info(fields, 'x'))).toHaveLength(1);
});
