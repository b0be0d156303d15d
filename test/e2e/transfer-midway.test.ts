import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endOf, type Progress } from '../mcp/client.ts';
import { CT } from '../rig/containers.ts';
import { until } from '../rig/until.ts';
import { connectToRig, failureOf } from './connect.ts';
import { FARS, type Far } from './far.ts';
import { partGrowsIn } from './far-rig.ts';
import { describeNode } from './nodes.ts';
import { bytes, partsIn, sha256, sha256OfFile, useTransfers } from './transfers.ts';

/** Takes seconds to transfer, and uses no space on its disk. */
const LONG = 2 ** 31;
/** The server's own limit for its end, and when hosts kill it. */
const LIMIT_MS = 4_500;
const HOSTS_KILL_MS = 5_000;
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

  const nothingLeft = (far: Far) => nothingLeftIn([far], transfers.server.dir);

  describe.each(FARS)('with %s', (name) => {
    test('cancellation of an upload stops it on the node, and keeps the old content', async () => {
      const far = farNamed(name);
      await far.put('old', 'old');
      await writeSparse(local('source'), LONG);
      const cancel = new AbortController();
      const more = { overwrite: true };
      const call = upload(far, 'source', far.path('old'), more, { signal: cancel.signal });
      const end = endOf(call);
      await far.midway();
      cancel.abort();
      expect(await end).toBe('rejected');
      await nothingLeft(far);
      expect((await far.read('old')).toString()).toBe('old');
    });

    test('cancellation of a download keeps the local file, and leaves no process', async () => {
      const far = farNamed(name);
      await putSparse(far, 'source', LONG);
      await writeFile(local('old'), 'old');
      const cancel = new AbortController();
      const call = download(far, far.path('source'), 'old', { overwrite: true }, { signal: cancel.signal });
      const end = endOf(call);
      await partGrowsIn(transfers.server.dir);
      cancel.abort();
      expect(await end).toBe('rejected');
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
    const end = endOf(upload(far, 'source', far.path('new'), {}, options));
    // The first notes may only tell how long the call has been running.
    const ofBytes = () =>
      notes.filter((note) => note.total === LONG && /MB of 2\.0 GB/.test(note.message ?? ''));
    await until(() => ofBytes().length >= 2);
    cancel.abort();
    expect(await end).toBe('rejected');
    const [first, second] = ofBytes();
    expect(second?.progress).toBeGreaterThan(first?.progress ?? Number.NaN);
    await nothingLeft(far);
  });

  test('cancellation kills a stopped reader on the node', async () => {
    const far = farNamed('debian');
    await far.put('old', 'old');
    await writeSparse(local('source'), LONG);
    const cancel = new AbortController();
    const more = { overwrite: true };
    const call = upload(far, 'source', far.path('old'), more, { signal: cancel.signal });
    const end = endOf(call);
    await far.midway();
    const readers = await node.containerProcesses(CT.debian, 'head -c');
    for (const { pid, comm } of readers) if (comm === 'head') await node.stopProcess(pid);
    expect(readers.length).toBeGreaterThan(0);
    cancel.abort();
    expect(await end).toBe('rejected');
    await nothingLeft(far);
    expect((await far.read('old')).toString()).toBe('old');
  });
});

describeNode('shutdown of the server during a transfer', [], (node) => {
  const { far: farNamed, local, server } = useTransfers(node, ROOM);

  test('SIGTERM leaves no temporary file or process, and keeps the old content', async () => {
    const far = farNamed('debian');
    const other = farNamed('busybox');
    await far.put('old', 'old');
    await writeFile(local('old'), 'old');
    await writeSparse(local('source'), LONG);
    await putSparse(other, 'source', LONG);
    // Its own server, so that the test can be repeated.
    const ending = await connectToRig(node, { env: { ...ROOM, TRANSFER_DIRS: server.dir } });
    onTestFinished(() => ending.close());
    const transfer = (way: string, { vmid }: Far, container_path: string, local_path: string) =>
      endOf(ending.callTool(`proxmox_${way}`, { vmid, container_path, local_path, overwrite: true }));
    const up = transfer('upload_file_to_container', far, far.path('old'), 'source');
    const down = transfer('download_file_from_container', other, other.path('source'), 'old');
    await Promise.all([far.midway(), partGrowsIn(server.dir)]);
    // The simulated node runs in this process, which then sees the end late.
    const lag = monitorEventLoopDelay({ resolution: 10 });
    lag.enable();
    process.kill(ending.pid, 'SIGTERM');
    const since = performance.now();
    await until(() => !isAlive(ending.pid));
    const took = performance.now() - since;
    expect(took).toBeLessThan(HOSTS_KILL_MS + lag.max / 1e6);
    // When the server ends, not some time after it, unless the node is so busy that the server reaches its limit first.
    if (took > LIMIT_MS - 400) await nothingLeftIn([far, other], server.dir);
    expect(await far.parts()).toEqual([]);
    expect(await far.transferProcesses()).toEqual([]);
    expect(await other.transferProcesses()).toEqual([]);
    expect(await partsIn(server.dir)).toEqual([]);
    expect((await far.read('old')).toString()).toBe('old');
    expect(await readFile(local('old'), 'utf8')).toBe('old');
    await Promise.all([up, down]);
  });
});

async function nothingLeftIn(fars: readonly Far[], dir: string): Promise<void> {
  for (const far of fars) {
    await until(async () => (await far.parts()).length === 0 && (await far.transferProcesses()).length === 0);
  }
  await until(async () => (await partsIn(dir)).length === 0);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
