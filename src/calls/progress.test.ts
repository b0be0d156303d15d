import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRedactor } from '../governance/redaction/redact.ts';
import { type ProgressNote, startProgress } from './progress.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function record() {
  const notes: ProgressNote[] = [];
  const reporter = startProgress(async (note) => {
    notes.push(note);
  }, createRedactor());
  return { notes, reporter };
}

test('sends nothing for a call shorter than a second', async () => {
  const { notes, reporter } = record();
  reporter.update('busy');
  await vi.advanceTimersByTimeAsync(990);
  await reporter.stop();
  await vi.advanceTimersByTimeAsync(5000);
  expect(notes).toEqual([]);
});

test('reports the elapsed time and the latest message once a second', async () => {
  const { notes, reporter } = record();
  await vi.advanceTimersByTimeAsync(1000);
  reporter.update('1.0 KB of output');
  reporter.update('120 KB of output');
  await vi.advanceTimersByTimeAsync(1000);
  await reporter.stop();
  expect(notes).toEqual([
    { progress: 1, message: 'running for 1 s' },
    { progress: 2, message: 'running for 2 s, 120 KB of output' },
  ]);
});

test('adds the last line of the output, without secrets and without an unfinished word', async () => {
  const { notes, reporter } = record();
  const key = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(9)}`;
  const outputs = ['first\nsecond\n\n', 'password=hunt', 'Get:1 http', `${key}`, `${'x'.repeat(500)}\n`, ''];
  for (const output of outputs) {
    reporter.update('busy', undefined, undefined, () => output);
    await vi.advanceTimersByTimeAsync(1000);
  }
  await reporter.stop();
  const lines = notes.map(({ message }) => message.replace(/^running for \d s, busy/, ''));
  expect(lines[0]).toBe(': second');
  expect(lines[1]).toBe('');
  expect(lines[2]).toBe(': Get:1');
  expect(lines[3]).not.toContain('MIIE');
  expect(lines[4]).toBe(`: ${'x'.repeat(200)}…`);
  expect(lines[5]).toBe('');
});

test('reports strictly increasing values, even without progress', async () => {
  const { notes, reporter } = record();
  for (const done of [0, 10, 10, 1e13, 1e13, 5]) {
    reporter.update('moving', done, 2e13);
    await vi.advanceTimersByTimeAsync(1000);
  }
  await reporter.stop();
  expect(notes).toHaveLength(6);
  notes.reduce((before, note) => {
    expect(note.progress).toBeGreaterThan(before.progress);
    return note;
  });
});

test('waits for the pending notification on stop, and queues none for a client that does not read', async () => {
  let deliver = () => {};
  let sent = 0;
  const reporter = startProgress(() => {
    sent += 1;
    return new Promise((resolve) => {
      deliver = resolve;
    });
  }, createRedactor());
  await vi.advanceTimersByTimeAsync(5000);
  expect(sent).toBe(1);
  let stopped = false;
  const stopping = reporter.stop().then(() => {
    stopped = true;
  });
  await vi.advanceTimersByTimeAsync(100);
  expect(stopped).toBe(false);
  deliver();
  await stopping;
});

test('does not fail the call when the client is gone', async () => {
  const reporter = startProgress(() => Promise.reject(new Error('closed')), createRedactor());
  await vi.advanceTimersByTimeAsync(1000);
  await expect(reporter.stop()).resolves.toBeUndefined();
});
