import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { failureOf } from './connect.ts';
import { FARS } from './far.ts';
import { describeNode } from './nodes.ts';
import { bytes, useTransfers } from './transfers.ts';

describeNode('MAX_FILE_SIZE', [], (node) => {
  const { far: farNamed, local, upload, download } = useTransfers(node, { MAX_FILE_SIZE: '1000' });

  test.each(FARS)('limits both directions before anything is written: %s', async (name) => {
    const far = farNamed(name);
    await writeFile(local('fits'), bytes(1000));
    await writeFile(local('too-large'), bytes(1001));
    await far.put('fits', bytes(1000));
    await far.put('too-large', bytes(1001));
    await writeFile(local('old'), 'old');
    await far.put('old', 'old');

    const up = failureOf(await upload(far, 'too-large', far.path('old'), { overwrite: true }));
    const down = failureOf(await download(far, far.path('too-large'), 'old', { overwrite: true }));
    for (const failure of [up, down]) {
      expect(failure.code).toBe('FILE_TOO_LARGE');
      expect(failure.error).toContain('1001');
      expect(failure.error).toContain('MAX_FILE_SIZE');
    }
    expect((await far.read('old')).toString()).toBe('old');
    expect(await readFile(local('old'), 'utf8')).toBe('old');

    expect((await upload(far, 'fits', far.path('new'))).isError).toBe(false);
    expect((await download(far, far.path('fits'), 'new')).isError).toBe(false);
  });
});

describeNode('transfers with unavailable containers', [], (node) => {
  const { server, far: farNamed, local, upload, download } = useTransfers(node);

  const container_path = '/etc/e2e-none';
  const uploadX = async (vmid: number) => {
    await writeFile(local('source'), 'x');
    return server.call('upload_file_to_container', { vmid, local_path: 'source', container_path });
  };
  const downloadX = (vmid: number) =>
    server.call('download_file_from_container', { vmid, local_path: 'new', container_path });

  async function both(vmid: number) {
    const failures = [failureOf(await uploadX(vmid)), failureOf(await downloadX(vmid))];
    await expect(stat(local('new'))).rejects.toThrow('ENOENT');
    return failures;
  }

  test.each([
    ['stopped', CT.stopped, 'CONTAINER_NOT_RUNNING', 'proxmox_start_container'],
    ['on a node that cannot be used', CT.elsewhere, 'SSH_UNREACHABLE', 'pve2'],
    ['unknown', CT.unknown, 'CONTAINER_NOT_FOUND', 'proxmox_list_containers'],
    ['a virtual machine', 100, 'NOT_A_CONTAINER', 'LXC'],
  ])('refuse a container that is %s, with the next step', async (_what, vmid, code, step) => {
    for (const failure of await both(vmid)) {
      expect(failure.code).toBe(code);
      expect(`${failure.error} ${failure.suggestion}`).toContain(step);
    }
  });

  test('report a container without a shell', async () => {
    const undo = await node.startWithoutShell();
    try {
      for (const failure of await both(CT.stopped)) expect(failure.code).toBe('NO_SHELL');
    } finally {
      await undo();
    }
  });

  test('report a frozen container, and write nothing after the thaw', async () => {
    const thaw = await node.freeze(CT.busybox);
    try {
      for (const work of [uploadX, downloadX]) {
        expect(failureOf(await work(CT.busybox)).code).toBe('CONTAINER_FROZEN');
      }
    } finally {
      await thaw();
    }
    expect((await node.inContainer(CT.busybox, ['ls', '/etc/e2e-none'])).code).not.toBe(0);
  });

  test('ignore a lock', async () => {
    await writeFile(local('source'), 'x');
    const args = {
      vmid: CT.locked,
      local_path: 'source',
      container_path: '/tmp/e2e-locked',
      overwrite: true,
    };
    const result = await server.call('upload_file_to_container', args);
    expect(result.isError, result.text).toBe(false);
    await node.inContainer(CT.locked, ['rm', '/tmp/e2e-locked']);
  });

  describe('sha256sum', () => {
    const real = '/usr/bin/sha256sum';

    test('with a wrong result causes CHECKSUM_MISMATCH, and keeps the old content on both ends', async () => {
      const far = farNamed('debian');
      // Found before the real one, because /usr/local/sbin comes first in PATH.
      const liar = '/usr/local/sbin/sha256sum';
      await far.put('old', 'old', 0o640);
      await far.put('source', 'new');
      await writeFile(local('source'), 'new');
      await writeFile(local('old'), 'old');
      await node.writeInContainer(CT.debian, liar, `#!/bin/sh\n${real} | tr 0123456789 1234567890\n`);
      await far.run('chmod', '755', liar);
      try {
        const up = await upload(far, 'source', far.path('old'), { overwrite: true });
        expect(failureOf(up).code).toBe('CHECKSUM_MISMATCH');
        const down = await download(far, far.path('source'), 'old', { overwrite: true });
        expect(failureOf(down).code).toBe('FILE_CHANGED');
        const onNew = await upload(far, 'source', far.path('new'));
        expect(failureOf(onNew).code).toBe('CHECKSUM_MISMATCH');
      } finally {
        await far.run('rm', liar);
      }
      expect((await far.read('old')).toString()).toBe('old');
      expect(await far.modeAndOwner('old')).toBe('640 0:0');
      await expect(far.stat('new')).rejects.toThrow('ENOENT');
      expect(await readFile(local('old'), 'utf8')).toBe('old');
    });

    test('that is missing causes TOOL_MISSING, and nothing is written', async () => {
      const far = farNamed('debian');
      await far.put('old', 'old');
      await writeFile(local('source'), 'new');
      await far.run('mv', real, `${real}.away`);
      try {
        const up = failureOf(await upload(far, 'source', far.path('old'), { overwrite: true }));
        const down = failureOf(await download(far, far.path('old'), path.join(server.dir, 'new')));
        for (const failure of [up, down]) {
          expect(failure.code).toBe('TOOL_MISSING');
          expect(failure.error).toContain('sha256sum');
        }
      } finally {
        await far.run('mv', `${real}.away`, real);
      }
      expect((await far.read('old')).toString()).toBe('old');
    });
  });
});
