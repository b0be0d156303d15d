import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { failureOf } from './connect.ts';
import { describeNode } from './nodes.ts';
import { bytes, useTransfers } from './transfers.ts';

describeNode('local paths', [], (node, { needing }) => {
  const { far: farNamed, local, upload, download, server } = useTransfers(node);
  let outside = '';
  beforeEach(async () => {
    outside = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-outside-'));
    await writeFile(path.join(outside, 'file'), 'not yours');
  });
  afterEach(async () => {
    expect(await readFile(path.join(outside, 'file'), 'utf8')).toBe('not yours');
    await rm(outside, { recursive: true });
  });

  /** The codes of an upload from this path and a download to it. */
  async function both(localPath: string): Promise<{ upload: unknown; download: unknown }> {
    const far = farNamed('busybox');
    await far.put('there', 'content');
    const up = await upload(far, localPath, far.path('stolen'));
    const down = await download(far, far.path('there'), localPath, { overwrite: true });
    await expect(far.stat('stolen')).rejects.toThrow('ENOENT');
    return { upload: failureOf(up).code, download: failureOf(down).code };
  }

  const OUTSIDE = { upload: 'PATH_OUTSIDE_TRANSFER_DIRS', download: 'PATH_OUTSIDE_TRANSFER_DIRS' };
  const INVALID = { upload: 'PATH_INVALID', download: 'PATH_INVALID' };

  test('a relative path is resolved in the first transfer directory and its subdirectories', async () => {
    const far = farNamed('busybox');
    await mkdir(local('sub'));
    await writeFile(local('sub/a'), 'content');
    await upload(far, 'sub/a', far.path('b'));
    const result = await download(far, far.path('b'), './sub/c');
    expect(result.data).toMatchObject({ success: true, local_path: local('sub/c') });
    expect(await readFile(local('sub/c'), 'utf8')).toBe('content');
  });

  test('an absolute path inside is accepted', async () => {
    const far = farNamed('busybox');
    await writeFile(local('a'), 'content');
    expect((await upload(far, local('a'), far.path('b'))).data).toMatchObject({ success: true });
  });

  test('an absolute path outside is refused', async () => {
    expect(await both(path.join(outside, 'file'))).toEqual(OUTSIDE);
    expect(await both('/etc/passwd')).toEqual(OUTSIDE);
  });

  test('a directory whose name only starts with that of a transfer directory is refused', async () => {
    const beside = `${server.dir}-x`;
    await mkdir(beside);
    onTestFinished(() => rm(beside, { recursive: true }));
    await writeFile(path.join(beside, 'file'), 'not yours');
    expect(await both(path.join(beside, 'file'))).toEqual(OUTSIDE);
  });

  test('".." is refused, even inside a transfer directory', async () => {
    await mkdir(local('sub'));
    await writeFile(local('a'), 'content');
    for (const name of [
      '../a',
      'sub/../a',
      `${server.dir}/sub/../a`,
      `${server.dir}/..`,
      '..',
      'sub\\..\\a',
    ]) {
      expect(await both(name), name).toEqual(INVALID);
    }
  });

  test('a symlink that leads outside is refused at any level', async () => {
    await symlink(path.join(outside, 'file'), local('file-link'));
    await symlink(outside, local('dir-link'));
    await symlink(path.dirname(outside), local('far-link'));
    await symlink('dir-link/file', local('link-to-link'));
    await symlink(path.join(outside, 'new'), local('dangling'));
    for (const name of [
      'file-link',
      'dir-link/file',
      `far-link/${path.basename(outside)}/file`,
      'link-to-link',
    ]) {
      expect(await both(name), name).toEqual(OUTSIDE);
    }
    expect((await both('dangling')).download).toBe('PATH_OUTSIDE_TRANSFER_DIRS');
    await expect(stat(path.join(outside, 'new'))).rejects.toThrow('ENOENT');
  });

  test('a missing directory is reported, and not created', async () => {
    expect(await both('nowhere/file')).toEqual({
      upload: 'SOURCE_NOT_FOUND',
      download: 'DIRECTORY_NOT_FOUND',
    });
    await expect(stat(local('nowhere'))).rejects.toThrow('ENOENT');
  });

  test('directories and special files are refused, and a FIFO does not block', async () => {
    await mkdir(local('directory'));
    execFileSync('mkfifo', [local('fifo')]);
    const listener = createServer().listen(local('socket'));
    onTestFinished(() => void listener.close());
    await once(listener, 'listening');
    expect(await both('directory')).toEqual({ upload: 'IS_A_DIRECTORY', download: 'IS_A_DIRECTORY' });
    for (const name of ['fifo', 'socket']) {
      const refused = { upload: 'NOT_A_REGULAR_FILE', download: 'NOT_A_REGULAR_FILE' };
      expect(await both(name), name).toEqual(refused);
    }
  });

  needing('root here', 'a device is refused', async () => {
    execFileSync('mknod', [local('device'), 'c', '1', '3']);
    expect(await both('device')).toEqual({ upload: 'NOT_A_REGULAR_FILE', download: 'NOT_A_REGULAR_FILE' });
  });

  async function mounted(options: string, work: () => Promise<void>): Promise<void> {
    await mkdir(local('disk'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', local('disk')]);
    try {
      await work();
    } finally {
      execFileSync('umount', [local('disk')]);
    }
  }

  needing(
    'root here',
    'a full local disk is reported, and leaves the old content and no temporary file',
    async () => {
      await mounted('size=256k', async () => {
        await writeFile(local('disk/old'), 'old');
        const far = farNamed('debian');
        await far.put('big', bytes(5_000_000));
        const result = await download(far, far.path('big'), 'disk/old', { overwrite: true });
        expect(failureOf(result)).toMatchObject({
          code: 'DISK_FULL',
          error: expect.stringContaining('local'),
        });
        expect(await readFile(local('disk/old'), 'utf8')).toBe('old');
        expect(await readdir(local('disk'))).toEqual(['old']);
      });
    },
  );

  needing('root here', 'a read-only local disk is reported', async () => {
    await mounted('ro', async () => {
      const far = farNamed('debian');
      await far.put('there', 'content');
      const result = await download(far, far.path('there'), 'disk/new');
      expect(failureOf(result).code).toBe('READ_ONLY_FILESYSTEM');
    });
  });
});
