import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { failureOf } from './connect.ts';
import { FARS } from './far.ts';
import { describeNode } from './nodes.ts';
import { bytes, localName, sha256, useTransfers, WEIRD_NAMES } from './transfers.ts';

describeNode('upload', [], (node) => {
  const { far: farNamed, local, upload } = useTransfers(node);

  describe.each(FARS)('to %s', (name) => {
    test.each([0, 1, 1024 * 1024 + 1, 9_000_000])(
      'transfers %i bytes, and returns their SHA-256',
      async (size) => {
        const far = farNamed(name);
        const content = bytes(size);
        await writeFile(local('source'), content);
        const result = await upload(far, 'source', far.path('arrived'));
        expect(result.isError, result.text).toBe(false);
        expect(result.data).toMatchObject({
          success: true,
          bytes_transferred: size,
          sha256: sha256(content),
          permissions: '644',
          overwritten: false,
          local_path: local('source'),
          [name === 'host' ? 'host_path' : 'container_path']: far.path('arrived'),
        });
        expect((await far.read('arrived')).equals(content)).toBe(true);
        expect(await far.modeAndOwner('arrived')).toBe('644 0:0');
      },
    );

    test.each(WEIRD_NAMES)('handles a name with %s on both ends', async (_what, weird) => {
      const far = farNamed(name);
      const here = localName(weird);
      await writeFile(local(here), weird);
      const result = await upload(far, here, far.path(weird));
      expect(result.isError, result.text).toBe(false);
      expect((await far.read(weird)).toString()).toBe(weird);
      const listed = await far.run('ls', '-a', far.dir);
      expect(listed.stdout).not.toContain('pwned\n');
    });

    test('writes a file in the root directory', async () => {
      const far = farNamed(name);
      await writeFile(local('source'), 'x');
      const result = await upload(far, 'source', '/e2e-in-the-root');
      try {
        expect(result.isError, result.text).toBe(false);
        expect((await far.run('ls', '-a', '/')).stdout).not.toContain('.part');
      } finally {
        await far.run('rm', '-f', '/e2e-in-the-root');
      }
    });
  });

  describe.each(FARS)('modes and owners in %s', (name) => {
    test.each([
      ['600', '600'],
      ['0640', '640'],
      ['4755', '4755'],
      ['1777', '1777'],
      ['000', '0'],
    ])('permissions %s set mode %s', async (permissions, mode) => {
      const far = farNamed(name);
      await writeFile(local('source'), 'x', { mode: 0o777 });
      const result = await upload(far, 'source', far.path('new'), { permissions });
      expect(result.data).toMatchObject({ success: true, permissions: mode });
      expect(await far.modeAndOwner('new')).toBe(`${mode} 0:0`);
    });

    test.each([
      ['no options: keeps mode and owner', {}, '4750 1234:4321'],
      ['permissions: keeps the owner', { permissions: '600' }, '600 1234:4321'],
      ['owner: keeps mode and group', { owner: '77' }, '4750 77:4321'],
      ['group: keeps mode and owner', { group: '88' }, '4750 1234:88'],
      ['all options', { permissions: '0755', owner: 'root', group: '5' }, '755 0:5'],
    ])('overwrite with %s', async (_what, more, expected) => {
      const far = farNamed(name);
      await far.put('old', 'old');
      await far.run('chown', '1234:4321', far.path('old'));
      await far.run('chmod', '4750', far.path('old'));
      await writeFile(local('source'), 'new');
      const result = await upload(far, 'source', far.path('old'), { overwrite: true, ...more });
      expect(result.data).toMatchObject({ success: true, overwritten: true });
      expect(await far.modeAndOwner('old')).toBe(expected);
      expect((await far.read('old')).toString()).toBe('new');
    });

    test('a new file gets the requested owner and group', async () => {
      const far = farNamed(name);
      const [owner, group] = name === 'busybox' ? ['user', 'user'] : ['daemon', 'adm'];
      const ids = name === 'busybox' ? '1000:1000' : '1:4';
      await writeFile(local('source'), 'x');
      await upload(far, 'source', far.path('new'), { owner, group });
      expect(await far.modeAndOwner('new')).toBe(`644 ${ids}`);
    });

    test.each([{ owner: 'nobody-by-this-name' }, { group: 'nobody-by-this-name' }])(
      'an unknown one is refused without a change: %o',
      async (unknown) => {
        const far = farNamed(name);
        await far.put('old', 'old', 0o640);
        await writeFile(local('source'), 'new');
        const onOld = await upload(far, 'source', far.path('old'), { overwrite: true, ...unknown });
        expect(failureOf(onOld)).toMatchObject({
          code: 'UNKNOWN_OWNER',
          error: expect.stringContaining('nobody-by-this-name'),
        });
        expect((await far.read('old')).toString()).toBe('old');
        expect(await far.modeAndOwner('old')).toBe('640 0:0');
        expect(failureOf(await upload(far, 'source', far.path('new'), unknown)).code).toBe('UNKNOWN_OWNER');
        await expect(far.stat('new')).rejects.toThrow('ENOENT');
      },
    );
  });

  describe.each(FARS)('existing files and symlinks in %s', (name) => {
    test('an existing file is kept without overwrite', async () => {
      const far = farNamed(name);
      await far.put('old', 'old', 0o600);
      await writeFile(local('source'), 'new');
      const result = await upload(far, 'source', far.path('old'));
      expect(failureOf(result)).toMatchObject({
        code: 'FILE_EXISTS',
        suggestion: expect.stringContaining('overwrite'),
      });
      expect((await far.read('old')).toString()).toBe('old');
      expect(await far.modeAndOwner('old')).toBe('600 0:0');
    });

    test('a symlink is followed: its target is replaced', async () => {
      const far = farNamed(name);
      await far.mkdir('sub');
      await far.put('sub/target\n', 'old', 0o640);
      await far.symlink('sub/target\n', 'link');
      await writeFile(local('source'), 'new');
      expect(failureOf(await upload(far, 'source', far.path('link'))).code).toBe('FILE_EXISTS');
      const result = await upload(far, 'source', far.path('link'), { overwrite: true });
      expect(result.data).toMatchObject({ success: true, overwritten: true, permissions: '640' });
      expect(result.data[name === 'host' ? 'host_path' : 'container_path']).toBe(far.path('sub/target\n'));
      expect((await far.stat('link')).kind).toBe('link');
      expect((await far.read('sub/target\n')).toString()).toBe('new');
    });

    test('a dangling symlink is followed: its target is created', async () => {
      const far = farNamed(name);
      await far.symlink(far.path('not-yet'), 'link');
      await writeFile(local('source'), 'new');
      expect((await upload(far, 'source', far.path('link'))).data).toMatchObject({
        success: true,
        overwritten: false,
      });
      expect((await far.stat('link')).kind).toBe('link');
      expect((await far.read('not-yet')).toString()).toBe('new');
    });

    test('a symlink into a missing directory and a circular one are refused', async () => {
      const far = farNamed(name);
      await far.symlink(far.path('missing/file'), 'link');
      await far.symlink('circle', 'circle');
      await writeFile(local('source'), 'new');
      for (const link of ['link', 'circle']) {
        const result = await upload(far, 'source', far.path(link), { overwrite: true });
        expect(failureOf(result).code).toBe('DIRECTORY_NOT_FOUND');
      }
    });

    test('exactly one of several concurrent uploads creates a file', async () => {
      const far = farNamed(name);
      const contents = Array.from({ length: 6 }, (_, i) => Buffer.alloc(300_000, String(i)));
      await Promise.all(contents.map((content, i) => writeFile(local(`source-${i}`), content)));
      const results = await Promise.all(contents.map((_, i) => upload(far, `source-${i}`, far.path('race'))));
      const winners = results.flatMap((result, i) => (result.isError ? [] : [i]));
      expect(winners).toHaveLength(1);
      for (const result of results) if (result.isError) expect(failureOf(result).code).toBe('FILE_EXISTS');
      expect((await far.read('race')).equals(contents[winners[0] ?? -1] ?? Buffer.alloc(0))).toBe(true);
      expect((await far.stat('race')).nlink).toBe(1);
    });
  });
});
