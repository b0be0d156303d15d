import { describe, expect, test } from 'vitest';
import { ALL_ATTRIBUTES, archiveWithAttributes, attributesIn, TAR } from '../fixtures/attributes.ts';
import { endOf } from '../mcp/client.ts';
import { CT } from '../rig/containers.ts';
import { must } from '../rig/run.ts';
import { until } from '../rig/until.ts';
import { failureOf, uniqueSleep, useClient } from './connect.ts';
import { type Far, type FarName, isPart } from './far.ts';
import { describeNode } from './nodes.ts';
import { sha256, useFars, WEIRD_NAMES } from './transfers.ts';

const CONTAINERS = ['debian', 'busybox'] as const satisfies readonly FarName[];
const OLD = 'first\nsecond\nthird\n';
const NEW = 'first\n2nd\nthird\n';
const EDITS = { edits: [{ old: 'second', new: '2nd' }] };

describeNode('edit_file', [], (node, { needing }) => {
  const server = useClient(node);
  // The validation has as much time as a call.
  const impatient = useClient(node, { WAIT_LIMIT: '5s' });
  const farNamed = useFars(node);

  const edit = (far: Far, name: string, more: object = EDITS, signal?: AbortSignal) =>
    server.call(
      'edit_file',
      { vmid: far.vmid, path: far.path(name), ...more },
      signal === undefined ? {} : { signal },
    );

  async function names(far: Far): Promise<string[]> {
    return (await far.run('ls', '-a', far.dir)).stdout
      .split('\n')
      .filter((name) => /^[^.]|^\../.test(name) && name !== '..');
  }

  /** The file has its old content, and nothing else is in its directory. */
  async function untouched(far: Far, content = OLD): Promise<void> {
    await until(async () => (await names(far)).filter(isPart).length === 0);
    expect((await far.read('file')).toString()).toBe(content);
    expect(await names(far)).toEqual(['file']);
  }

  describe.each(CONTAINERS)('in %s', (name) => {
    test('replaces text, returns the diff and both hashes, and keeps owner and mode', async () => {
      const far = farNamed(name);
      await far.put('file', OLD);
      await far.run('chown', '33:44', far.path('file'));
      await far.run('chmod', '2751', far.path('file'));
      const result = await edit(far, 'file', { ...EDITS, expected_sha256: sha256(OLD) });
      expect(result.isError, result.text).toBe(false);
      expect(result.data).toMatchObject({
        path: far.path('file'),
        changed: true,
        diff: '@@ -1,3 +1,3 @@\n first\n-second\n+2nd\n third',
        lines_added: 1,
        lines_removed: 1,
        sha256_before: sha256(OLD),
        sha256: sha256(NEW),
        mode: '2751',
        validated: null,
      });
      expect(result.text).toContain(`SHA-256 now: ${sha256(NEW)}`);
      expect(await far.stat('file')).toMatchObject({ uid: 33, gid: 44, mode: 0o2751 });
      await untouched(far, NEW);
    });

    test('applies a unified diff', async () => {
      const far = farNamed(name);
      await far.put('file', OLD);
      const diff = '--- a/file\n+++ b/file\n@@ -1,3 +1,3 @@\n first\n-second\n+2nd\n third\n';
      const result = await edit(far, 'file', { diff });
      expect(result.isError, result.text).toBe(false);
      await untouched(far, NEW);
    });

    test('keeps CRLF, a missing final newline, and bytes that are not UTF-8', async () => {
      const far = farNamed(name);
      const before = Buffer.from('a\xff\x00\r\nsecond\r\nlast', 'latin1');
      await far.put('file', before);
      const result = await edit(far, 'file', { edits: [{ old: 'second\nlast', new: '2nd\nmore\nend' }] });
      expect(result.isError, result.text).toBe(false);
      expect((await far.read('file')).toString('latin1')).toBe('a\xff\x00\r\n2nd\r\nmore\r\nend');
    });

    test.each([
      ['a text that does not occur', { edits: [{ old: 'fourth', new: 'x' }] }, 'EDIT_FAILED'],
      ['a text that occurs twice', { edits: [{ old: 'ir', new: 'x' }] }, 'EDIT_FAILED'],
      ['a diff that does not match', { diff: '@@ -1 +1 @@\n-zero\n+0\n' }, 'EDIT_FAILED'],
      ['a wrong hash', { ...EDITS, expected_sha256: sha256('other') }, 'FILE_CHANGED'],
      ['edits and a diff', { ...EDITS, diff: '@@ -1 +1 @@\n-first\n+1\n' }, 'INVALID_INPUT'],
      ['neither', {}, 'INVALID_INPUT'],
      [
        'a placeholder of a secret',
        { edits: [{ old: 'second', new: '[redacted: token abc123]' }] },
        'PLACEHOLDER_IN_INPUT',
      ],
    ])('refuses %s, and changes nothing', async (_what, more, code) => {
      const far = farNamed(name);
      await far.put('file', OLD);
      expect(failureOf(await edit(far, 'file', more)).code).toBe(code);
      await untouched(far);
    });

    test('an edit that changes nothing writes nothing', async () => {
      const far = farNamed(name);
      await far.put('file', OLD);
      const before = await far.stat('file');
      const result = await edit(far, 'file', { edits: [{ old: 'second', new: 'second' }] });
      expect(result.data).toMatchObject({ changed: false, diff: '', sha256: sha256(OLD) });
      expect((await far.stat('file')).mtimeMs).toBe(before.mtimeMs);
      await untouched(far);
    });

    test('edits the target of a link, and the link stays one', async () => {
      const far = farNamed(name);
      await far.put('file', OLD);
      await far.symlink('file', 'link');
      expect((await edit(far, 'link')).data).toMatchObject({ path: far.path('file') });
      expect((await far.read('file')).toString()).toBe(NEW);
      expect((await far.stat('link')).kind).toBe('link');
    });

    test('refuses a file with several hard links, a directory, a fifo, a missing file and a large one', async () => {
      const far = farNamed(name);
      await far.put('file', OLD);
      await far.run('ln', far.path('file'), far.path('other'));
      expect(failureOf(await edit(far, 'file'))).toMatchObject({
        code: 'EDIT_FAILED',
        error: expect.stringContaining('2 hard links'),
      });
      await far.special('fifo', 'fifo');
      await far.mkdir('dir');
      await far.put('large', 'second'.padEnd(2 ** 20 + 1));
      const code = async (file: string) => failureOf(await edit(far, file)).code;
      expect(await code('fifo')).toBe('NOT_A_REGULAR_FILE');
      expect(await code('dir')).toBe('IS_A_DIRECTORY');
      expect(await code('missing')).toBe('SOURCE_NOT_FOUND');
      expect(await code('large')).toBe('FILE_TOO_LARGE');
      expect((await names(far)).filter(isPart)).toEqual([]);
    });

    test.each(WEIRD_NAMES.filter(([, weird]) => weird.length < 200))(
      'a name with %s',
      async (_what, weird) => {
        const far = farNamed(name);
        await far.put(weird, OLD);
        const result = await edit(far, weird, { ...EDITS, validate: 'grep -q 2nd {}' });
        expect(result.isError, result.text).toBe(false);
        expect((await far.read(weird)).toString()).toBe(NEW);
        expect((await far.run('ls', '-a', far.dir)).stdout).not.toContain('pwned\n');
      },
    );

    test('a disk without room: DISK_FULL, and the old content', async () => {
      const far = farNamed(name);
      const file = `${far.small}/file`;
      await far.run('sh', '-c', 'echo second > "$1"', 'sh', file);
      await far.run('sh', '-c', 'head -c 2000000 /dev/zero > "$1/filler"', 'sh', far.small);
      try {
        const edits = [{ old: 'second', new: 'x'.repeat(40_000) }];
        const failure = failureOf(await server.call('edit_file', { vmid: far.vmid, path: file, edits }));
        expect(failure.code).toBe('DISK_FULL');
        expect((await far.run('cat', file)).stdout).toBe('second\n');
        expect((await far.run('ls', '-a', far.small)).stdout).not.toContain('proxmox-mcp');
      } finally {
        await far.run('rm', '-f', file, `${far.small}/filler`);
      }
    });

    describe('validate', () => {
      test('with {} sees the new content, under a name with the same suffix, before it is in place', async () => {
        const far = farNamed(name);
        await far.put('file.conf', OLD);
        const validate = `f={}; test "\${f##*.}" = conf && grep -q 2nd "$f" && grep -q second ${far.path('file.conf')} && echo fine`;
        const result = await edit(far, 'file.conf', { ...EDITS, validate });
        expect(result.isError, result.text).toBe(false);
        expect(result.data).toMatchObject({ validated: 'before', validate_output: 'fine' });
        expect(result.text).toContain('Validated before it was put in place');
        expect((await far.read('file.conf')).toString()).toBe(NEW);
        expect(await names(far)).toEqual(['file.conf']);
      });

      test('with {}: a failure leaves the file as it was, with the output', async () => {
        const far = farNamed(name);
        await far.put('file', OLD);
        const before = await far.stat('file');
        const result = await edit(far, 'file', { ...EDITS, validate: 'echo bad line 2; test -z {}' });
        expect(failureOf(result)).toMatchObject({
          code: 'VALIDATION_FAILED',
          error: expect.stringContaining('was not changed'),
        });
        expect(result.data.stderr).toBe('bad line 2');
        expect((await far.stat('file')).mtimeMs).toBe(before.mtimeMs);
        await untouched(far);
      });

      test('without {} the file is put in place, and restored on failure', async () => {
        const far = farNamed(name);
        await far.put('file', OLD);
        const check = (expected: number) => `grep -q 2nd ${far.path('file')}; test $? = ${expected}`;
        const failed = await edit(far, 'file', { ...EDITS, validate: check(1) });
        expect(failureOf(failed)).toMatchObject({
          code: 'VALIDATION_FAILED',
          error: expect.stringContaining('has been restored'),
        });
        await untouched(far);
        const passed = await edit(far, 'file', { ...EDITS, validate: check(0) });
        expect(passed.data).toMatchObject({ validated: 'after' });
        await untouched(far, NEW);
      });

      test('a file that changes meanwhile is not replaced', async () => {
        const far = farNamed(name);
        await far.put('file', OLD);
        const validate = `echo other > ${far.path('file')}; test -e {}`;
        expect(failureOf(await edit(far, 'file', { ...EDITS, validate })).code).toBe('FILE_CHANGED');
        await untouched(far, 'other\n');
      });

      test.each([
        ['before', 'test -e {}'],
        ['after', ':'],
      ])('cancelled %s the file is replaced: killed, and nothing is left', async (_when, test_) => {
        const far = farNamed(name);
        await far.put('file', OLD);
        const cancel = new AbortController();
        const sleep = uniqueSleep();
        const call = edit(
          far,
          'file',
          { ...EDITS, validate: `${test_}; trap '' TERM; sleep ${sleep}` },
          cancel.signal,
        );
        const end = endOf(call);
        const running = () => node.containerProcesses(far.vmid ?? 0, `sleep ${sleep}`);
        await until(async () => (await running()).length > 0);
        cancel.abort();
        expect(await end).toBe('rejected');
        await until(async () => (await running()).length === 0);
        await untouched(far);
      });

      test.each([
        ['before', 'test -e {}', ''],
        // A child that holds the output, and that the program `timeout` does not know.
        ['after', ':', 'setsid sleep SLEEP & '],
      ])(
        'that hangs %s the file is replaced: TIMEOUT, killed, and the old content',
        async (_when, check, child) => {
          const far = farNamed(name);
          await far.put('file', OLD);
          const sleep = uniqueSleep();
          const validate = `${check}; echo begun; ${child.replace('SLEEP', sleep)}exec sleep ${sleep}`;
          const args = { vmid: far.vmid, path: far.path('file'), ...EDITS, validate };
          const failure = failureOf(await impatient.call('edit_file', args));
          expect(failure).toMatchObject({
            code: 'TIMEOUT',
            error: expect.stringMatching(/did not end within 5 s.* has its old content/),
          });
          await until(
            async () => (await node.containerProcesses(far.vmid ?? 0, `sleep ${sleep}`)).length === 0,
          );
          await untouched(far);
        },
      );

      test('that leaves a process in the background: not waited for, and the process goes on', async () => {
        const far = farNamed(name);
        await far.put('file', OLD);
        const sleep = uniqueSleep();
        const running = () => node.containerProcesses(far.vmid ?? 0, `sleep ${sleep}`);
        const pid = far.path('pid');
        const validate = `sleep ${sleep} & echo $! >${pid}; echo fine`;
        const result = await edit(far, 'file', { ...EDITS, validate });
        expect(result.data).toMatchObject({ validated: 'after', validate_output: 'fine' });
        expect(await running()).not.toHaveLength(0);
        await far.run('sh', '-c', `kill "$(cat ${pid})"`);
        await until(async () => (await running()).length === 0);
      });

      test('that fails and leaves a process in the background: the process is killed', async () => {
        const far = farNamed(name);
        await far.put('file', OLD);
        const sleep = uniqueSleep();
        const failure = failureOf(
          await edit(far, 'file', { ...EDITS, validate: `setsid sleep ${sleep} & false` }),
        );
        expect(failure.code).toBe('VALIDATION_FAILED');
        await until(
          async () => (await node.containerProcesses(far.vmid ?? 0, `sleep ${sleep}`)).length === 0,
        );
        await untouched(far);
      });

      test('that floods: the end of its output is returned', async () => {
        const far = farNamed(name);
        await far.put('file', OLD);
        const validate = 'yes x | head -n 200000; echo the end; test -z {}';
        const result = await edit(far, 'file', { ...EDITS, validate });
        expect(failureOf(result).code).toBe('VALIDATION_FAILED');
        expect(result.data.stderr).toMatch(/^x\n[x\n]*\nthe end$/);
        expect(String(result.data.stderr).length).toBeLessThanOrEqual(8_000);
        await untouched(far);
      });

      test('a lost connection: nothing is left when the command has ended', async () => {
        const far = farNamed(name);
        await far.put('file', OLD);
        const sleep = uniqueSleep().replace(/^\d+/, '2');
        const call = edit(far, 'file', { ...EDITS, validate: `sleep ${sleep}; false` });
        await until(async () => (await node.containerProcesses(far.vmid ?? 0, `sleep ${sleep}`)).length > 0);
        node.killSshConnections();
        expect(failureOf(await call).code).toBe('DISCONNECTED');
        await until(
          async () => (await node.containerProcesses(far.vmid ?? 0, `sleep ${sleep}`)).length === 0,
        );
        await untouched(far);
      });
    });
  });

  needing('real programs', 'keeps extended attributes, capabilities and ACLs, and reports that', async () => {
    const far = farNamed('debian');
    await far.put('archive.tar', archiveWithAttributes('file', OLD));
    await far.run(...TAR, '-xf', far.path('archive.tar'), '-C', far.dir);
    const attributes = async () =>
      attributesIn((await far.run(...TAR, '-cf', '-', '-C', far.dir, 'file')).stdout);
    expect(await attributes()).toEqual(ALL_ATTRIBUTES);
    const result = await edit(far, 'file');
    expect(result.data, result.text).toMatchObject({ attributes: 'kept' });
    expect(await attributes()).toEqual(ALL_ATTRIBUTES);
    expect((await far.read('file')).toString()).toBe(NEW);
  });

  needing('real programs', 'an immutable file and a read-only disk are left as they were', async (rig) => {
    const far = farNamed('debian');
    await far.put('file', OLD);
    const immutable = (flag: string) =>
      must(['chattr', flag, `${rig.rootfsOnDisk(CT.debian)}${far.path('file')}`]);
    await immutable('+i');
    try {
      expect(failureOf(await edit(far, 'file'))).toMatchObject({
        code: 'PERMISSION_DENIED',
        suggestion: expect.stringContaining('lsattr'),
      });
    } finally {
      await immutable('-i');
    }
    await untouched(far);
    const file = `${far.small}/file`;
    await far.run('sh', '-c', 'echo second > "$1"; mount -o remount,bind,ro "$2"', 'sh', file, far.small);
    try {
      const failure = failureOf(await server.call('edit_file', { vmid: far.vmid, path: file, ...EDITS }));
      expect(failure.code).toBe('READ_ONLY_FILESYSTEM');
      expect((await far.run('cat', file)).stdout).toBe('second\n');
    } finally {
      await far.run('mount', '-o', 'remount,bind,rw', far.small);
      await far.run('rm', '-f', file);
    }
  });
});
