import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Progress } from '../mcp/client.ts';
import { CT } from '../rig/containers.ts';
import { until } from '../rig/until.ts';
import { failureOf } from './connect.ts';
import { FARS, type Far } from './far.ts';
import { partGrowsIn } from './far-rig.ts';
import { describeNode } from './nodes.ts';
import { bytes, partsIn, sha256, sha256OfFile, useTransfers } from './transfers.ts';

/** Takes seconds to transfer, and uses no space on its disk. */
const LONG = 2 ** 31;
const ROOM = { MAX_FILE_SIZE: String(2 ** 32) };

async function writeSparse(file: string, size: number): Promise<void> {
  await writeFile(file, 'begin');
  await truncate(file, size);
}

async function putSparse(far: Far, name: string, size: number): Promise<void> {
  await far.put(name, 'begin');
  await far.truncate(name, size);
}

describeNode('during a transfer', [], (node) => {
  const transfers = useTransfers(node, ROOM);
  const { far: farNamed, local, upload, download } = transfers;

  async function nothingLeft(far: Far): Promise<void> {
    await until(async () => (await far.parts()).length === 0 && (await far.transferProcesses()).length === 0);
    await until(async () => (await partsIn(transfers.server.dir)).length === 0);
  }

  describe.each(FARS)('with %s', (name) => {
    test('cancellation of an upload stops it on the node, and keeps the old content', async () => {
      const far = farNamed(name);
      await far.put('old', 'old');
      await writeSparse(local('source'), LONG);
      const cancel = new AbortController();
      const more = { overwrite: true };
      const call = upload(far, 'source', far.path('old'), more, { signal: cancel.signal });
      const rejected = expect(call).rejects.toThrow();
      await far.midway();
      cancel.abort();
      await rejected;
      await nothingLeft(far);
      expect((await far.read('old')).toString()).toBe('old');
    });

    test('cancellation of a download keeps the local file, and leaves no process', async () => {
      const far = farNamed(name);
      await putSparse(far, 'source', LONG);
      await writeFile(local('old'), 'old');
      const cancel = new AbortController();
      const call = download(far, far.path('source'), 'old', { overwrite: true }, { signal: cancel.signal });
      const rejected = expect(call).rejects.toThrow();
      await partGrowsIn(transfers.server.dir);
      cancel.abort();
      await rejected;
      await nothingLeft(far);
      expect(await readFile(local('old'), 'utf8')).toBe('old');
    });

    test('a lost connection causes DISCONNECTED, and keeps the old content on both ends', async () => {
      const far = farNamed(name);
      await far.put('old', 'old');
      await writeFile(local('old'), 'old');
      await writeSparse(local('source'), LONG);
      await putSparse(far, 'source', LONG);

      const up = upload(far, 'source', far.path('old'), { overwrite: true });
      await far.midway();
      node.killSshConnections();
      expect(failureOf(await up).code).toBe('DISCONNECTED');
      await nothingLeft(far);

      const down = download(far, far.path('source'), 'old', { overwrite: true });
      await partGrowsIn(transfers.server.dir);
      node.killSshConnections();
      expect(failureOf(await down).code).toBe('DISCONNECTED');
      await nothingLeft(far);

      expect((await far.read('old')).toString()).toBe('old');
      expect(await readFile(local('old'), 'utf8')).toBe('old');
    });

    test('truncation of the local source causes FILE_CHANGED, and keeps the old content', async () => {
      const far = farNamed(name);
      await far.put('old', 'old');
      await writeSparse(local('source'), LONG);
      const call = upload(far, 'source', far.path('old'), { overwrite: true });
      await far.midway();
      await truncate(local('source'), 1000);
      expect(failureOf(await call).code).toBe('FILE_CHANGED');
      await nothingLeft(far);
      expect((await far.read('old')).toString()).toBe('old');
    });

    test('truncation of the remote source causes FILE_CHANGED, and keeps the old content', async () => {
      const far = farNamed(name);
      await writeFile(local('old'), 'old');
      await putSparse(far, 'source', LONG);
      const call = download(far, far.path('source'), 'old', { overwrite: true });
      await partGrowsIn(transfers.server.dir);
      await far.truncate('source', 1000);
      expect(failureOf(await call).code).toBe('FILE_CHANGED');
      expect(await readFile(local('old'), 'utf8')).toBe('old');
    });

    test('a change in place of the remote source causes FILE_CHANGED', async () => {
      const far = farNamed(name);
      await writeFile(local('old'), 'old');
      await putSparse(far, 'source', 2 ** 27);
      const call = download(far, far.path('source'), 'old', { overwrite: true });
      await partGrowsIn(transfers.server.dir);
      await far.overwriteStart('source', 'BEGIN');
      expect(failureOf(await call).code).toBe('FILE_CHANGED');
      expect(await readFile(local('old'), 'utf8')).toBe('old');
    });

    test('a growing log is downloaded up to its initial size', async () => {
      const far = farNamed(name);
      await far.put('log', bytes(8_000_000));
      let over = false;
      const writer = (async () => {
        while (!over) await far.append('log', 'one more line\n'.repeat(100));
      })();
      try {
        const result = await download(far, far.path('log'), 'log');
        expect(result.isError, result.text).toBe(false);
        const size = Number(result.data.bytes_transferred);
        expect((await stat(local('log'))).size).toBe(size);
        expect(sha256((await far.read('log')).subarray(0, size))).toBe(result.data.sha256);
        expect(await sha256OfFile(local('log'))).toBe(result.data.sha256);
      } finally {
        over = true;
        await writer;
      }
      expect((await far.stat('log')).size).toBeGreaterThan((await stat(local('log'))).size);
    });
  });

  test('a virtual file that is shorter than its size is never a success', async () => {
    const file = '/sys/kernel/mm/transparent_hugepage/enabled';
    const result = await download(farNamed('host'), file, 'new');
    expect(failureOf(result)).toMatchObject({
      code: 'FILE_CHANGED',
      error: expect.stringContaining('virtual file'),
    });
    await expect(stat(local('new'))).rejects.toThrow('ENOENT');
  });

  test('progress notifications report the transferred bytes', async () => {
    const far = farNamed('debian');
    await writeSparse(local('source'), LONG);
    const notes: Progress[] = [];
    const cancel = new AbortController();
    const options = { signal: cancel.signal, onProgress: (note: Progress) => void notes.push(note) };
    const rejected = expect(upload(far, 'source', far.path('new'), {}, options)).rejects.toThrow();
    await until(() => notes.length >= 2);
    cancel.abort();
    await rejected;
    expect(notes[0]).toMatchObject({ total: LONG, message: expect.stringMatching(/MB of 2\.0 GB/) });
    expect(notes[1]?.progress).toBeGreaterThan(notes[0]?.progress ?? Number.NaN);
    await nothingLeft(far);
  });

  test('cancellation kills a stopped reader on the node', async () => {
    const far = farNamed('debian');
    await far.put('old', 'old');
    await writeSparse(local('source'), LONG);
    const cancel = new AbortController();
    const more = { overwrite: true };
    const call = upload(far, 'source', far.path('old'), more, { signal: cancel.signal });
    const rejected = expect(call).rejects.toThrow();
    await far.midway();
    const readers = await node.containerProcesses(CT.debian, 'head -c');
    for (const { pid, comm } of readers) if (comm === 'head') await node.stopProcess(pid);
    expect(readers.length).toBeGreaterThan(0);
    cancel.abort();
    await rejected;
    await nothingLeft(far);
    expect((await far.read('old')).toString()).toBe('old');
  });
});

describeNode('shutdown of the server during a transfer', [], (node) => {
  const { far: farNamed, local, upload, download, server } = useTransfers(node, ROOM);

  test('SIGTERM leaves no temporary file or process, and keeps the old content', async () => {
    const far = farNamed('debian');
    const other = farNamed('busybox');
    await far.put('old', 'old');
    await writeFile(local('old'), 'old');
    await writeSparse(local('source'), LONG);
    await putSparse(other, 'source', LONG);
    const up = upload(far, 'source', far.path('old'), { overwrite: true }).catch(() => 'cut off');
    const down = download(other, other.path('source'), 'old', { overwrite: true }).catch(() => 'cut off');
    await Promise.all([far.midway(), partGrowsIn(server.dir)]);
    process.kill(server.client.pid, 'SIGTERM');
    const ended = performance.now();
    await until(() => !isAlive(server.client.pid), 6_000);
    expect(performance.now() - ended).toBeLessThan(5_000);
    // When the server ends, not some time after it.
    expect(await far.parts()).toEqual([]);
    expect(await far.transferProcesses()).toEqual([]);
    expect(await other.transferProcesses()).toEqual([]);
    expect(await partsIn(server.dir)).toEqual([]);
    expect((await far.read('old')).toString()).toBe('old');
    expect(await readFile(local('old'), 'utf8')).toBe('old');
    await Promise.all([up, down]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
