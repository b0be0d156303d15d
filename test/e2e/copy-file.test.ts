import { describe, expect, onTestFinished, test } from 'vitest';
import { endOf, type Progress } from '../mcp/client.ts';
import { CT } from '../rig/containers.ts';
import { until } from '../rig/until.ts';
import { failureOf, useClient } from './connect.ts';
import type { Far, FarName } from './far.ts';
import { describeNode } from './nodes.ts';
import { bytes, sha256, useFars, WEIRD_NAMES } from './transfers.ts';

/** Takes seconds to travel, and no room on the disk that it lies on. */
const LONG = 2 ** 31;
const ROUTES = [
  ['debian', 'busybox'],
  ['busybox', 'debian'],
  ['debian', 'host'],
  ['host', 'busybox'],
  ['debian', 'debian'],
] as const satisfies readonly (readonly [FarName, FarName])[];

describeNode('copy_file', [], (node) => {
  // The limit of transfers through the server does not apply.
  const server = useClient(node, { ENABLE_HOST_EXEC: 'true', MAX_FILE_SIZE: '1000' });
  const farNamed = useFars(node);

  const placeOf = (far: Far, name: string) => `${far.vmid ?? 'host'}:${far.path(name)}`;
  const copy = (from: Far, name: string, to: Far, as: string, more: object = {}, options: object = {}) =>
    server.call('copy_file', { source: placeOf(from, name), target: placeOf(to, as), ...more }, options);

  async function nothingLeft(...fars: Far[]): Promise<void> {
    for (const far of fars) {
      await until(
        async () => (await far.parts()).length === 0 && (await far.transferProcesses()).length === 0,
      );
    }
    await until(() => node.nodeProcesses('progress').length === 0);
  }

  describe.each(ROUTES)('from %s to %s', (one, other) => {
    test.each([0, 1, 9_000_000])('%i bytes, with mode and numeric owner', async (size) => {
      const [from, to] = [farNamed(one), farNamed(other)];
      const content = bytes(size);
      await from.put('source', content, 0o751);
      await from.run('chown', '33:44', from.path('source'));
      const result = await copy(from, 'source', to, 'copy');
      expect(result.isError, result.text).toBe(false);
      expect(result.data).toMatchObject({
        success: true,
        kind: 'file',
        bytes_transferred: size,
        sha256: sha256(content),
        permissions: '751',
        overwritten: false,
        source: placeOf(from, 'source'),
        target: placeOf(to, 'copy'),
      });
      expect((await to.read('copy')).equals(content)).toBe(true);
      expect(await to.stat('copy')).toMatchObject({ mode: 0o751, uid: 33, gid: 44 });
      await nothingLeft(from, to);
    });

    test('a directory with links, modes, owners and odd names', async () => {
      const [from, to] = [farNamed(one), farNamed(other)];
      await from.mkdir('tree');
      await from.run('mkdir', from.path('tree/sub'));
      await from.put('tree/file', bytes(300_000), 0o640);
      await from.put("tree/sub/it's $(x)\n\\ odd", 'odd', 0o600);
      await from.run('chown', '33:44', from.path('tree/file'));
      await from.symlink('../file', 'tree/sub/link');
      await from.run('chmod', '1750', from.path('tree'));
      const refused = await copy(from, 'tree', to, 'copy');
      expect(failureOf(refused)).toMatchObject({
        code: 'IS_A_DIRECTORY',
        suggestion: expect.stringContaining('recursive'),
      });
      const result = await copy(from, 'tree', to, 'copy', { recursive: true });
      expect(result.isError, result.text).toBe(false);
      expect(result.data).toMatchObject({ kind: 'directory', overwritten: false, permissions: '1750' });
      expect(result.data).toMatchObject({ files: 2, directories: 2, links: 1 });
      expect(result.text).toContain('2 files, 2 directories, 1 link');
      expect((await to.read('copy/file')).equals(bytes(300_000))).toBe(true);
      expect((await to.read("copy/sub/it's $(x)\n\\ odd")).toString()).toBe('odd');
      expect(await to.stat('copy/file')).toMatchObject({ mode: 0o640, uid: 33, gid: 44 });
      expect((await to.stat('copy/sub/link')).kind).toBe('link');
      expect(await to.stat('copy')).toMatchObject({ kind: 'directory', mode: 0o1750 });

      await from.put('tree/file', 'second');
      const again = await copy(from, 'tree', to, 'copy', { recursive: true });
      expect(failureOf(again).code).toBe('FILE_EXISTS');
      const over = await copy(from, 'tree', to, 'copy', { recursive: true, overwrite: true });
      expect(over.data, over.text).toMatchObject({ overwritten: true });
      expect((await to.read('copy/file')).toString()).toBe('second');
      await nothingLeft(from, to);
    });

    test('refuses what exists, and replaces it when asked', async () => {
      const [from, to] = [farNamed(one), farNamed(other)];
      await from.put('source', 'new');
      await to.put('copy', 'old', 0o600);
      expect(failureOf(await copy(from, 'source', to, 'copy')).code).toBe('FILE_EXISTS');
      expect((await to.read('copy')).toString()).toBe('old');
      const result = await copy(from, 'source', to, 'copy', { overwrite: true });
      expect(result.data, result.text).toMatchObject({ overwritten: true, permissions: '644' });
      expect((await to.read('copy')).toString()).toBe('new');
    });

    test('refuses what cannot be copied', async () => {
      const [from, to] = [farNamed(one), farNamed(other)];
      await from.special('fifo', 'fifo');
      await from.put('source', 'x');
      await from.mkdir('tree');
      await from.special('tree/fifo', 'fifo');
      const code = async (name: string, as: string, more = {}) =>
        failureOf(await copy(from, name, to, as, more)).code;
      expect(await code('missing', 'copy')).toBe('SOURCE_NOT_FOUND');
      expect(await code('fifo', 'copy')).toBe('NOT_A_REGULAR_FILE');
      expect(await code('tree', 'copy', { recursive: true })).toBe('NOT_A_REGULAR_FILE');
      expect(await code('source', 'missing/copy')).toBe('DIRECTORY_NOT_FOUND');
      await nothingLeft(from, to);
    });

    test('cancelled: both sides end, and the old content stays', async () => {
      const [from, to] = [farNamed(one), farNamed(other)];
      await to.put('copy', 'old');
      await from.put('source', 'begin');
      await from.truncate('source', LONG);
      const notes: Progress[] = [];
      const cancel = new AbortController();
      const options = { signal: cancel.signal, onProgress: (note: Progress) => void notes.push(note) };
      const call = copy(from, 'source', to, 'copy', { overwrite: true }, options);
      const end = endOf(call);
      // The first notes may only tell how long the call has been running.
      await until(() =>
        notes.some((note) => note.total === LONG && /MB of 2\.0 GB/.test(note.message ?? '')),
      );
      cancel.abort();
      expect(await end).toBe('rejected');
      await nothingLeft(from, to);
      expect((await to.read('copy')).toString()).toBe('old');
    });

    test('a lost connection: DISCONNECTED, and the old content', async () => {
      const [from, to] = [farNamed(one), farNamed(other)];
      await to.put('copy', 'old');
      await from.put('source', 'begin');
      await from.truncate('source', LONG);
      const call = copy(from, 'source', to, 'copy', { overwrite: true });
      await until(async () => (await to.parts()).length > 0);
      node.killSshConnections();
      expect(failureOf(await call).code).toBe('DISCONNECTED');
      await nothingLeft(from, to);
      expect((await to.read('copy')).toString()).toBe('old');
    });

    test('a source that changes meanwhile: FILE_CHANGED, and the old content', async () => {
      const [from, to] = [farNamed(one), farNamed(other)];
      await to.put('copy', 'old');
      await from.put('source', 'begin');
      await from.truncate('source', 2 ** 27);
      const call = copy(from, 'source', to, 'copy', { overwrite: true });
      await to.midway();
      await from.overwriteStart('source', 'BEGIN');
      expect(failureOf(await call).code).toBe('FILE_CHANGED');
      await nothingLeft(from, to);
      expect((await to.read('copy')).toString()).toBe('old');
    });
  });

  test.each(WEIRD_NAMES)('a name with %s', async (_what, weird) => {
    const [from, to] = [farNamed('debian'), farNamed('busybox')];
    await from.put(weird, weird);
    const result = await copy(from, weird, to, weird);
    expect(result.isError, result.text).toBe(false);
    expect((await to.read(weird)).toString()).toBe(weird);
    for (const far of [from, to])
      expect((await far.run('ls', '-a', far.dir)).stdout).not.toContain('pwned\n');
  });

  test.each([
    ['a file', 'source', {}],
    ['a directory', 'tree', { recursive: true }],
  ])('%s for which the disk has no room: DISK_FULL, and nothing is left', async (_what, name, more) => {
    const [from, to] = [farNamed('debian'), farNamed('busybox')];
    await from.mkdir('tree');
    await from.put('tree/file', bytes(3_000_000));
    await from.put('source', bytes(3_000_000));
    const target = `${to.small}/copy`;
    onTestFinished(async () => void (await to.run('rm', '-rf', target)));
    const args = { source: placeOf(from, name), target: `${to.vmid}:${target}`, ...more };
    expect(failureOf(await server.call('copy_file', args)).code).toBe('DISK_FULL');
    expect((await to.run('ls', '-A', to.small)).stdout).not.toMatch(/copy|proxmox-mcp/);
  });

  test.each([
    ['onto itself', 'tree', 'is the source itself'],
    ['into itself', 'tree/sub/copy', 'is inside the source'],
    ['over what contains it', '', 'contains the source'],
    ['into itself by a link', 'link/sub/copy', 'is inside the source'],
  ])('refuses to copy a directory %s, and changes nothing', async (_what, as, why) => {
    const far = farNamed('debian');
    await far.mkdir('tree');
    await far.run('mkdir', far.path('tree/sub'));
    await far.put('tree/sub/file', 'content');
    await far.symlink('tree', 'link');
    const target = `${far.vmid}:${far.path(as).replace(/\/$/, '')}`;
    const failure = failureOf(
      await server.call('copy_file', {
        source: placeOf(far, 'tree'),
        target,
        recursive: true,
        overwrite: true,
      }),
    );
    expect(failure).toMatchObject({ code: 'INVALID_INPUT', error: expect.stringContaining(why) });
    await nothingLeft(far);
    const names = (await far.run('find', far.dir)).stdout.trim().split('\n').sort();
    expect(names).toEqual(
      ['', '/link', '/tree', '/tree/sub', '/tree/sub/file'].map((name) => far.dir + name),
    );
  });

  test('refuses to copy a file onto itself, also by a link, and a file to a directory', async () => {
    const far = farNamed('busybox');
    await far.put('file', 'content');
    await far.symlink('file', 'link');
    await far.mkdir('dir');
    const failure = async (from: string, to: string) =>
      failureOf(await copy(far, from, far, to, { overwrite: true }));
    for (const [from, to] of [
      ['file', 'file'],
      ['link', 'file'],
      ['file', 'link'],
    ] as const) {
      expect(await failure(from, to)).toMatchObject({
        code: 'INVALID_INPUT',
        error: expect.stringContaining('is the source itself'),
      });
    }
    expect(await failure('file', 'dir')).toMatchObject({
      code: 'IS_A_DIRECTORY',
      suggestion: 'Add the name of the file to the path.',
    });
    expect((await far.read('file')).toString()).toBe('content');
    expect((await far.stat('link')).kind).toBe('link');
    await nothingLeft(far);
  });

  test.each(['fifo', 'device', 'socket'] as const)(
    'refuses a directory with a %s, and names it',
    async (kind) => {
      const [from, to] = [farNamed('debian'), farNamed('busybox')];
      await from.mkdir('tree');
      await from.put('tree/file', 'x');
      await from.special('tree/odd', kind);
      const failure = failureOf(await copy(from, 'tree', to, 'copy', { recursive: true }));
      expect(failure).toMatchObject({
        code: 'NOT_A_REGULAR_FILE',
        error: expect.stringContaining(from.path('tree/odd')),
      });
      expect((await to.run('ls', '-A', to.dir)).stdout).toBe('');
    },
  );

  // A file system such as CIFS ignores modes and owners, too, and reports success.
  test.each(['mode', 'owner'] as const)(
    'refuses a directory whose %s the target does not keep',
    async (what) => {
      const [from, to] = [farNamed('busybox'), farNamed('debian')];
      await from.mkdir('tree');
      await from.put('tree/file', 'x', 0o640);
      await from.run('chown', '33:44', from.path('tree/file'));
      const change = what === 'mode' ? 'chmod 644' : 'chown 0:44';
      const tar = `#!/bin/sh\n/bin/tar "$@" || exit\nfor d; do :; done\n[ ! -e "$d/file" ] || ${change} "$d/file"\n`;
      await node.inContainer(CT.debian, ['mkdir', '-p', '/usr/local/bin']);
      await node.writeInContainer(CT.debian, '/usr/local/bin/tar', tar);
      onTestFinished(
        async () => void (await node.inContainer(CT.debian, ['rm', '-f', '/usr/local/bin/tar'])),
      );
      await node.inContainer(CT.debian, ['chmod', '755', '/usr/local/bin/tar']);
      const failure = failureOf(await copy(from, 'tree', to, 'copy', { recursive: true }));
      expect(failure).toMatchObject({
        code: 'TRANSFER_FAILED',
        error: expect.stringContaining('modes or owners'),
      });
      await nothingLeft(from, to);
      expect((await to.run('ls', '-A', to.dir)).stdout).toBe('');
    },
  );

  test.each([
    ['a file', 'file', {}],
    ['a directory', 'tree', { recursive: true }],
  ])('%s that is removed while it is copied: an error, and no copy', async (_what, name, more) => {
    const [from, to] = [farNamed('debian'), farNamed('host')];
    await from.mkdir('tree');
    await from.put('tree/large', 'begin');
    await from.truncate('tree/large', 2 ** 28);
    await from.put('file', 'begin');
    await from.truncate('file', 2 ** 28);
    const call = copy(from, name, to, 'copy', more);
    await until(async () => (await to.parts()).length > 0);
    await from.run('rm', '-rf', from.path(name));
    expect(failureOf(await call).code).toMatch(/^(FILE_CHANGED|TRANSFER_FAILED|SOURCE_NOT_FOUND)$/);
    await nothingLeft(from, to);
    expect((await to.run('ls', '-A', to.dir)).stdout).toBe('');
  });

  test.each([
    ['source', 'busybox', 'debian'],
    ['target', 'debian', 'busybox'],
  ] as const)('a frozen %s: CONTAINER_FROZEN, and nothing is copied', async (_which, one, other) => {
    const [from, to] = [farNamed(one), farNamed(other)];
    await from.put('file', 'x');
    const thaw = await node.freeze(farNamed('busybox').vmid ?? 0);
    try {
      expect(failureOf(await copy(from, 'file', to, 'copy')).code).toBe('CONTAINER_FROZEN');
    } finally {
      await thaw();
    }
    await nothingLeft(from, to);
    expect((await to.run('ls', '-A', to.dir)).stdout).toBe('');
  });

  test('a stopped or missing container is told, on either side', async () => {
    const from = farNamed('debian');
    await from.put('source', 'x');
    const code = async (source: string, target: string) =>
      failureOf(await server.call('copy_file', { source, target })).code;
    expect(await code(`${CT.stopped}:/etc/hostname`, `${CT.debian}:/tmp/x`)).toBe('CONTAINER_NOT_RUNNING');
    expect(await code(placeOf(from, 'source'), `${CT.stopped}:/tmp/x`)).toBe('CONTAINER_NOT_RUNNING');
    expect(await code(placeOf(from, 'source'), '9199:/tmp/x')).toBe('CONTAINER_NOT_FOUND');
    expect(await code('host:/etc/hostname', 'host:/tmp/x')).toBe('INVALID_INPUT');
    expect(await code(`${CT.debian}/etc/hostname`, `${CT.busybox}:/tmp/x`)).toBe('INVALID_INPUT');
  });
});
