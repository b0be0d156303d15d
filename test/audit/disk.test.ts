import { afterEach, describe, expect, test, vi } from 'vitest';
import { SegmentFile } from '../../src/governance/audit/segment-file.ts';
import { auditLogIn, BEGIN, END, entriesIn, freshDir } from './records.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('fsync during a call', () => {
  test('delays the end of a call until the begin entry is on disk', async () => {
    const { trail } = auditLogIn(await freshDir());
    let reach = () => {};
    vi.spyOn(SegmentFile.prototype, 'sync').mockImplementationOnce(
      () => new Promise((resolve) => (reach = resolve)),
    );
    const call = await trail.begin(BEGIN);
    let told = false;
    const end = call.end(END).then(() => {
      told = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(told).toBe(false);
    reach();
    await end;
  });

  test('delays the close of the log until the end of the call is written', async () => {
    const dir = await freshDir();
    const { trail } = auditLogIn(dir);
    let reach = () => {};
    vi.spyOn(SegmentFile.prototype, 'sync').mockImplementationOnce(
      () => new Promise((resolve) => (reach = resolve)),
    );
    const call = await trail.begin(BEGIN);
    const end = call.end(END);
    const closed = trail.close();
    setTimeout(() => reach(), 50);
    await Promise.all([end, closed]);
    expect((await entriesIn(dir)).map(({ type }) => type)).toEqual(['open', 'begin', 'end', 'closed']);
  });

  test('makes the next call wait for a successful fsync after a failed one', async () => {
    const { call, log } = auditLogIn(await freshDir());
    vi.spyOn(SegmentFile.prototype, 'sync').mockRejectedValueOnce(new Error('EIO: i/o error'));
    const append = vi.spyOn(SegmentFile.prototype, 'append');
    const synced = () => append.mock.calls.map(([, sync]) => sync);
    await call();
    expect(log.join('\n')).toContain('may not be on the disk');
    await call();
    await call();
    // begin and end of each call: only the begin of the second waits.
    expect(synced()).toEqual([false, false, true, false, false, false]);
  });
});
