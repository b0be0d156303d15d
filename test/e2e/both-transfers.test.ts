import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { failureOf, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';
import { bytes, sha256, WEIRD_NAMES } from './transfers.ts';

const DIR = '/tmp/both';

/** What every node must do with files, the simulated one included; the whole of it is in upload and download. */
describeNode('transfers', [], (node) => {
  const server = useClient(node);
  const { call } = server;
  const local = (name: string) => path.join(server.dir, name);
  const upload = (vmid: number, local_path: string, container_path: string, more: object = {}) =>
    call('upload_file_to_container', { vmid, local_path, container_path, ...more });
  const download = (vmid: number, container_path: string, local_path: string, more: object = {}) =>
    call('download_file_from_container', { vmid, container_path, local_path, ...more });

  describe.each([CT.debian, CT.busybox])('container %i', (vmid) => {
    const run = async (...argv: string[]) => (await node.inContainer(vmid, argv)).stdout.trimEnd();
    const modeAndOwner = (file: string) => run('stat', '-c', '%a %u:%g', file);
    const put = async (name: string, content: string, mode = '644') => {
      await run('mkdir', '-p', DIR);
      await node.writeInContainer(vmid, `${DIR}/${name}`, content);
      await run('chmod', mode, `${DIR}/${name}`);
    };
    afterEach(async () => {
      expect(await run('ls', '-a', DIR), 'parts left').not.toContain('.part');
      await run('rm', '-rf', DIR);
    });

    test.each([0, 1, 1024 * 1024 + 1])('%i bytes there and back', async (size) => {
      await run('mkdir', '-p', DIR);
      const content = bytes(size);
      await writeFile(local('source'), content);
      const there = await upload(vmid, 'source', `${DIR}/file`);
      expect(there.data, there.text).toMatchObject({
        bytes_transferred: size,
        sha256: sha256(content),
        permissions: '644',
      });
      expect((await node.readInContainer(vmid, `${DIR}/file`)).equals(content)).toBe(true);
      const back = await download(vmid, `${DIR}/file`, 'back', { overwrite: true });
      expect(back.data, back.text).toMatchObject({ bytes_transferred: size, sha256: sha256(content) });
      expect((await readFile(local('back'))).equals(content)).toBe(true);
    });

    test.each(WEIRD_NAMES)('a name with %s is only a name', async (_what, weird) => {
      await run('mkdir', '-p', DIR);
      await writeFile(local('source'), weird);
      const result = await upload(vmid, 'source', `${DIR}/${weird}`);
      expect(result.isError, result.text).toBe(false);
      expect((await node.readInContainer(vmid, `${DIR}/${weird}`)).toString()).toBe(weird);
    });

    test('an existing file is replaced only when that is wanted; mode and owner stay', async () => {
      await put('old', 'old', '640');
      await run('chown', '1234:4321', `${DIR}/old`);
      await writeFile(local('source'), 'new');
      expect(failureOf(await upload(vmid, 'source', `${DIR}/old`)).code).toBe('FILE_EXISTS');
      expect((await upload(vmid, 'source', `${DIR}/old`, { overwrite: true })).data).toMatchObject({
        overwritten: true,
      });
      expect((await node.readInContainer(vmid, `${DIR}/old`)).toString()).toBe('new');
      expect(await modeAndOwner(`${DIR}/old`)).toBe('640 1234:4321');
    });

    test('mode and owner that are given are those of the file', async () => {
      await run('mkdir', '-p', DIR);
      await writeFile(local('source'), 'x');
      await upload(vmid, 'source', `${DIR}/new`, { permissions: '4750', owner: 'root', group: '5' });
      expect(await modeAndOwner(`${DIR}/new`)).toBe('4750 0:5');
      const unknown = await upload(vmid, 'source', `${DIR}/other`, { owner: 'nobody-by-this-name' });
      expect(failureOf(unknown).code).toBe('UNKNOWN_OWNER');
    });

    test('a link is followed, and stays', async () => {
      await put('target', 'old');
      await run('ln', '-s', 'target', `${DIR}/link`);
      await writeFile(local('source'), 'new');
      const result = await upload(vmid, 'source', `${DIR}/link`, { overwrite: true });
      expect(result.data, result.text).toMatchObject({ container_path: `${DIR}/target`, overwritten: true });
      expect((await node.readInContainer(vmid, `${DIR}/target`)).toString()).toBe('new');
      expect((await download(vmid, `${DIR}/link`, 'through', { overwrite: true })).data).toMatchObject({
        container_path: `${DIR}/target`,
      });
    });

    test('what cannot be is refused and told apart', async () => {
      await put('file', 'x');
      await run('mkfifo', `${DIR}/fifo`);
      await writeFile(local('source'), bytes(2_000_000));
      const codes = async (...targets: string[]) =>
        Promise.all(
          targets.map(
            async (target) => failureOf(await upload(vmid, 'source', target, { overwrite: true })).code,
          ),
        );
      expect(
        await codes(DIR, `${DIR}/fifo`, `${DIR}/missing/x`, `${DIR}/file/x`, '/mnt/small/x', '/mnt/ro/x'),
      ).toEqual([
        'IS_A_DIRECTORY',
        'NOT_A_REGULAR_FILE',
        'DIRECTORY_NOT_FOUND',
        'DIRECTORY_NOT_FOUND',
        'DISK_FULL',
        'READ_ONLY_FILESYSTEM',
      ]);
      expect(await run('ls', '-a', '/mnt/small')).not.toContain('part');
    });

    test('sources that are none are told apart, and the local file stays', async () => {
      await put('file', 'x');
      await run('mkfifo', `${DIR}/fifo`);
      await writeFile(local('old'), 'old');
      for (const [source, code] of [
        [`${DIR}/missing`, 'SOURCE_NOT_FOUND'],
        [DIR, 'IS_A_DIRECTORY'],
        [`${DIR}/fifo`, 'NOT_A_REGULAR_FILE'],
        ['/dev/zero', 'NOT_A_REGULAR_FILE'],
        ['/proc/meminfo', 'NOT_A_REGULAR_FILE'],
      ] as const) {
        expect(failureOf(await download(vmid, source, 'old', { overwrite: true })).code, source).toBe(code);
      }
      expect(await readFile(local('old'), 'utf8')).toBe('old');
    });
  });
});
