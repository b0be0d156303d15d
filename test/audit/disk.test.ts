import { afterEach, describe, expect, test, vi } from 'vitest';
import { SegmentFile } from '../../src/governance/audit/segment-file.ts';
import { auditLogIn, BEGIN, END, entriesIn, freshDir } from './records.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the disk works while the call does', () => {
  test('the end is told only when the begin is on the disk', async () => {
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

  test('the end of the process waits for it, so that no end stands behind "closed"', async () => {
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

  test('after a disk that lost something, a call waits until the disk can be trusted again', async () => {
    const { call, log } = auditLogIn(await freshDir());
    vi.spyOn(SegmentFile.prototype, 'sync').mockRejectedValueOnce(new Error('EIO: i/o error'));
    const append = vi.spyOn(SegmentFile.prototype, 'append');
    const synced = () => append.mock.calls.map(([, sync]) => sync);
    await call();
    expect(log.join('\n')).toContain('may not be on the disk');
    await call();
    await call();
    // begin and end of each: only the begin of the second waits.
    expect(synced()).toEqual([false, false, true, false, false, false]);
  });
});
