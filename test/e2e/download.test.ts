import { chmod, chown, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { failureOf } from './connect.ts';
import { FARS } from './far.ts';
import { describeNode } from './nodes.ts';
import { bytes, localName, sha256, useTransfers, WEIRD_NAMES } from './transfers.ts';

describeNode('download', [], (node, { needing }) => {
  const { server, far: farNamed, local, download } = useTransfers(node, { MAX_FILE_SIZE: '300000000' });

  async function octalMode(name: string): Promise<string> {
    return ((await stat(local(name))).mode & 0o7777).toString(8);
  }

  describe.each(FARS)('from %s', (name) => {
    test.each([0, 1, 1024 * 1024 + 1, 9_000_000])(
      'transfers %i bytes, and returns their SHA-256',
      async (size) => {
        const far = farNamed(name);
        const content = bytes(size);
        await far.put('source', content, 0o4711);
        const mode = (0o711 & ~process.umask()).toString(8);
        const result = await download(far, far.path('source'), 'arrived');
        expect(result.isError, result.text).toBe(false);
        expect(result.data).toMatchObject({
          success: true,
          bytes_transferred: size,
          sha256: sha256(content),
          permissions: mode,
          overwritten: false,
          local_path: local('arrived'),
          [name === 'host' ? 'host_path' : 'container_path']: far.path('source'),
        });
        expect((await readFile(local('arrived'))).equals(content)).toBe(true);
        expect(await octalMode('arrived')).toBe(mode);
      },
    );

    test.each(WEIRD_NAMES)('handles a name with %s on both ends', async (_what, weird) => {
      const far = farNamed(name);
      await far.put(weird, weird);
      const here = localName(weird);
      const result = await download(far, far.path(weird), here);
      expect(result.isError, result.text).toBe(false);
      expect(await readFile(local(here), 'utf8')).toBe(weird);
      expect((await far.run('ls', '-a', far.dir)).stdout).not.toContain('pwned\n');
    });

    test('follows a symlink, and returns the path of its target', async () => {
      const far = farNamed(name);
      await far.put('target\n', 'content');
      await far.symlink('target\n', 'link');
      const result = await download(far, far.path('link'), 'arrived');
      expect(result.data).toMatchObject({
        success: true,
        [name === 'host' ? 'host_path' : 'container_path']: far.path('target\n'),
      });
      expect(await readFile(local('arrived'), 'utf8')).toBe('content');
    });

    test('keeps the local file and creates none when the source is missing', async () => {
      const far = farNamed(name);
      await writeFile(local('old'), 'old');
      await far.symlink('nowhere', 'dangling');
      for (const source of ['missing', 'dangling', 'missing/file']) {
        const onOld = await download(far, far.path(source), 'old', { overwrite: true });
        expect(failureOf(onOld).code).toBe('SOURCE_NOT_FOUND');
        expect(failureOf(await download(far, far.path(source), 'new')).code).toBe('SOURCE_NOT_FOUND');
      }
      expect(await readFile(local('old'), 'utf8')).toBe('old');
      await expect(stat(local('new'))).rejects.toThrow('ENOENT');
    });

    test('refuses anything but a regular file, and writes nothing', async () => {
      const far = farNamed(name);
      await writeFile(local('old'), 'old');
      await far.mkdir('directory');
      await far.run('mkfifo', far.path('fifo'));
      await far.run('ln', '-s', 'fifo', far.path('link'));
      for (const [source, code] of [
        [far.path('directory'), 'IS_A_DIRECTORY'],
        [far.path('fifo'), 'NOT_A_REGULAR_FILE'],
        [far.path('link'), 'NOT_A_REGULAR_FILE'],
        ['/dev/zero', 'NOT_A_REGULAR_FILE'],
        ['/proc/self/environ', 'NOT_A_REGULAR_FILE'],
        ['/proc/meminfo', 'NOT_A_REGULAR_FILE'],
      ] as const) {
        const result = await download(far, source, 'old', { overwrite: true });
        expect(failureOf(result).code, source).toBe(code);
        expect((await download(far, source, 'new')).isError, source).toBe(true);
      }
      expect(await readFile(local('old'), 'utf8')).toBe('old');
      await expect(stat(local('new'))).rejects.toThrow('ENOENT');
    });

    test.each(['etc/hosts', '/tmp/../etc/hosts', '/etc/', '~/x'])(
      'refuses the remote path %s',
      async (path) => {
        expect(failureOf(await download(farNamed(name), path, 'new')).code).toBe('PATH_INVALID');
      },
    );
  });

  test('keeps an existing file without overwrite', async () => {
    const far = farNamed('debian');
    await far.put('source', 'new');
    await writeFile(local('old'), 'old');
    expect(failureOf(await download(far, far.path('source'), 'old')).code).toBe('FILE_EXISTS');
    expect(await readFile(local('old'), 'utf8')).toBe('old');
  });

  test('keeps mode and owner with overwrite', async () => {
    const far = farNamed('busybox');
    await far.put('source', 'new');
    await writeFile(local('old'), 'old');
    // Only root can change the owner of a file.
    const [uid, gid] = process.getuid?.() === 0 ? [1234, 4321] : [process.getuid?.(), process.getgid?.()];
    if (uid !== undefined && gid !== undefined) await chown(local('old'), uid, gid);
    await chmod(local('old'), 0o4640);
    const result = await download(far, far.path('source'), 'old', { overwrite: true });
    expect(result.data).toMatchObject({ success: true, overwritten: true, permissions: '4640' });
    expect(await readFile(local('old'), 'utf8')).toBe('new');
    expect(await octalMode('old')).toBe('4640');
    expect(await stat(local('old'))).toMatchObject({ uid, gid });
  });

  test('follows a local symlink, and replaces or creates its target', async () => {
    const far = farNamed('debian');
    await far.put('source', 'new');
    await mkdir(local('sub'));
    await writeFile(local('sub/target'), 'old');
    await symlink('sub/target', local('link'));
    await symlink(local('not-yet'), local('dangling'));
    const result = await download(far, far.path('source'), 'link', { overwrite: true });
    expect(result.data).toMatchObject({ success: true, local_path: local('sub/target') });
    expect(await readFile(local('sub/target'), 'utf8')).toBe('new');
    expect((await download(far, far.path('source'), 'dangling')).data).toMatchObject({ success: true });
    expect(await readFile(local('not-yet'), 'utf8')).toBe('new');
    for (const link of ['link', 'dangling']) expect((await lstat(local(link))).isSymbolicLink()).toBe(true);
  });

  test('lets exactly one of several concurrent downloads create a file', async () => {
    const far = farNamed('debian');
    const contents = Array.from({ length: 6 }, (_, i) => Buffer.alloc(300_000, String(i)));
    await Promise.all(contents.map((content, i) => far.put(`source-${i}`, content)));
    const results = await Promise.all(contents.map((_, i) => download(far, far.path(`source-${i}`), 'race')));
    const winners = results.flatMap((result, i) => (result.isError ? [] : [i]));
    expect(winners).toHaveLength(1);
    for (const result of results) if (result.isError) expect(failureOf(result).code).toBe('FILE_EXISTS');
    expect((await readFile(local('race'))).equals(contents[winners[0] ?? -1] ?? Buffer.alloc(0))).toBe(true);
    expect((await stat(local('race'))).nlink).toBe(1);
  });

  needing(
    'volume',
    'leaves memory as its bytes are written',
    async () => {
      const far = farNamed('debian');
      await far.put('large', 'begin');
      await far.truncate('large', 2 ** 28);
      const peakKb = async () =>
        Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${server.client.pid}/status`, 'utf8'))?.[1]);
      const before = await peakKb();
      const result = await download(far, far.path('large'), 'large');
      expect(result.isError, result.text).toBe(false);
      expect((await peakKb()) - before).toBeLessThan(100 * 1024);
    },
    120_000,
  );
});
