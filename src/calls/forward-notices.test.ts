import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Notices } from '../lib/notices.ts';
import { forwardNotices } from './forward-notices.ts';
import type { ProgressNote } from './progress.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const redactor = { show: (text: string) => text.replace('secret', '***') };

function started() {
  const notices = new Notices();
  const sent: ProgressNote[] = [];
  const noticed = forwardNotices(async (note) => void sent.push(note), notices, redactor);
  return { notices, sent, ...noticed };
}

test('sends a notice immediately and repeats it while it applies, with secrets redacted', async () => {
  const { notices, sent, stop } = started();
  expect(sent).toEqual([]);
  notices.show('open secret link');
  vi.advanceTimersByTime(10_000);
  notices.show(null);
  vi.advanceTimersByTime(10_000);
  await stop();
  expect(sent.map(({ message }) => message)).toEqual(
    Array.from({ length: 3 }, () => 'waiting for the SSH login; open *** link'),
  );
});

test('adds the notice to other progress messages, with strictly increasing progress values', async () => {
  const { notices, sent, notify, stop } = started();
  await notify({ progress: 1, message: 'running' });
  notices.show('a');
  await notify({ progress: 1, total: 9, message: 'running' });
  notices.show(null);
  await notify({ progress: 5, message: 'done' });
  await stop();
  expect(sent.map(({ message }) => message)).toEqual([
    'running',
    'waiting for the SSH login; a',
    'running; a',
    'done',
  ]);
  const values = sent.map(({ progress }) => progress);
  expect(values).toEqual([...new Set(values)].sort((one, other) => one - other));
  expect(sent[2]).toMatchObject({ total: 9 });
});

test('sends the current notice to a new waiter, and nothing after stop', async () => {
  const notices = new Notices();
  notices.show('a');
  const sent: ProgressNote[] = [];
  const { stop } = forwardNotices(async (note) => void sent.push(note), notices, redactor);
  expect(sent).toHaveLength(1);
  await stop();
  notices.show('b');
  vi.advanceTimersByTime(10_000);
  expect(sent).toHaveLength(1);
});
