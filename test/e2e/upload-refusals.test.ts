import { writeFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CT } from '../rig/containers.ts';
import { failureOf } from './connect.ts';
import { FARS, type Far } from './far.ts';
import { describeNode } from './nodes.ts';
import { bytes, useTransfers } from './transfers.ts';

const SPECIAL: readonly [what: string, code: string, make: (far: Far) => Promise<void>][] = [
  ['a directory', 'IS_A_DIRECTORY', (far) => far.mkdir('special')],
  ['a fifo', 'NOT_A_REGULAR_FILE', (far) => far.special('special', 'fifo')],
  ['a device', 'NOT_A_REGULAR_FILE', (far) => far.special('special', 'device')],
  ['a socket', 'NOT_A_REGULAR_FILE', (far) => far.special('special', 'socket')],
];

describeNode('upload refusals', [], (node) => {
  const { far: farNamed, local, upload, server } = useTransfers(node, { MAX_FILE_SIZE: String(2 ** 30) });

  describe.each(FARS)('to %s', (name) => {
    test.each(SPECIAL)(
      '%s is refused as destination and as target of a symlink',
      async (_what, code, make) => {
        const far = farNamed(name);
        await make(far);
        await far.run('ln', '-s', 'special', far.path('link'));
        await writeFile(local('source'), 'x');
        const before = await far.stat('special');
        for (const to of ['special', 'link']) {
          expect(failureOf(await upload(far, 'source', far.path(to), { overwrite: true })).code).toBe(code);
        }
        expect((await far.stat('special')).mtimeMs).toBe(before.mtimeMs);
      },
    );

    test.each([
      ['a missing directory', 'missing/file'],
      ['a directory that is a file', 'file/child'],
    ])('%s is refused and named', async (_what, to) => {
      const far = farNamed(name);
      await far.put('file', 'old');
      await writeFile(local('source'), bytes(2_000_000));
      const failure = failureOf(await upload(far, 'source', far.path(to)));
      expect(failure.code).toBe('DIRECTORY_NOT_FOUND');
      expect(failure.error).toContain(far.path(to.slice(0, to.indexOf('/'))));
      expect((await far.read('file')).toString()).toBe('old');
    });

    test.each([
      ['relative', 'etc/hosts'],
      ['with ..', '/tmp/../etc/hosts'],
      ['with .. at the end', '/tmp/..'],
      ['of a directory', '/tmp/'],
      ['home', '~/file'],
    ])('a remote path that is %s is refused', async (_what, remote) => {
      await writeFile(local('source'), 'x');
      const result = await upload(farNamed(name), 'source', remote, { overwrite: true });
      expect(failureOf(result).code).toBe('PATH_INVALID');
    });

    // The node hashes a large file while it arrives, and a small one afterwards.
    test.each([5_000_000, 40_000_000])(
      '%i bytes that exceed the free space are refused, and the old content is kept',
      async (size) => {
        const far = farNamed(name);
        const old = `${far.small}/old`;
        await far.run('sh', '-c', 'echo old > "$1"; chmod 640 "$1"', 'sh', old);
        onTestFinished(async () => void (await far.run('rm', '-f', old)));
        await writeFile(local('source'), bytes(size));
        const failure = failureOf(await upload(far, 'source', old, { overwrite: true }));
        expect(failure.code).toBe('DISK_FULL');
        expect((await far.run('cat', old)).stdout).toBe('old\n');
        // The space is free again: a file that fits is accepted.
        await writeFile(local('source'), bytes(900_000));
        expect((await upload(far, 'source', old, { overwrite: true })).data).toMatchObject({
          permissions: '640',
        });
      },
    );

    test('a read-only file system is reported', async () => {
      const far = farNamed(name);
      await writeFile(local('source'), bytes(2_000_000));
      const failure = failureOf(await upload(far, 'source', `${far.readOnly}/file`));
      expect(failure.code).toBe('READ_ONLY_FILESYSTEM');
    });

    test('a name that is too long for the file system is reported', async () => {
      const far = farNamed(name);
      await writeFile(local('source'), 'x');
      const failure = failureOf(await upload(far, 'source', far.path('n'.repeat(256))));
      expect(failure).toMatchObject({
        code: 'TRANSFER_FAILED',
        error: expect.stringMatching(/name too long/i),
      });
    });

    test('a virtual file of the kernel is refused', async () => {
      await writeFile(local('source'), '1');
      const result = await upload(farNamed(name), 'source', '/proc/sys/vm/swappiness', { overwrite: true });
      expect(failureOf(result).code).toMatch(/^(PERMISSION_DENIED|READ_ONLY_FILESYSTEM|TRANSFER_FAILED)$/);
    });
  });

  test('distinguishes stopped and unknown containers, containers on unusable nodes, and virtual machines by error code', async () => {
    await writeFile(local('source'), 'x');
    const code = async (vmid: number) => {
      const args = { vmid, local_path: 'source', container_path: '/tmp/e2e-x' };
      const { client } = server;
      return failureOf(await client.callTool('proxmox_upload_file_to_container', args)).code;
    };
    expect(await code(CT.stopped)).toBe('CONTAINER_NOT_RUNNING');
    expect(await code(9199)).toBe('CONTAINER_NOT_FOUND');
    expect(await code(CT.elsewhere)).toBe('SSH_UNREACHABLE');
    expect(await code(100)).toBe('NOT_A_CONTAINER');
  });
});
