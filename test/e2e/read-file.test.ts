import { describe, expect, test } from 'vitest';
import { CT } from '../rig/containers.ts';
import { until } from '../rig/until.ts';
import { failureOf, useClient } from './connect.ts';
import type { Far, FarName } from './far.ts';
import { describeNode } from './nodes.ts';
import { bytes, sha256, useFars, WEIRD_NAMES } from './transfers.ts';

const CONTAINERS = ['debian', 'busybox'] as const satisfies readonly FarName[];
const LINES = Array.from({ length: 100 }, (_, index) => `line ${index + 1}\n`);
const KEY = [
  '-----BEGIN OPENSSH PRIVATE KEY-----',
  ...Array.from(
    { length: 30 },
    (_, row) => `${'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ'.repeat(1)}${row + 10}`,
  ),
  '-----END OPENSSH PRIVATE KEY-----',
  '',
].join('\n');

describeNode('read_file', [], (node) => {
  const server = useClient(node, { CHARACTER_LIMIT: '2000' });
  const farNamed = useFars(node);

  const read = (far: Far, name: string, more: object = {}) =>
    server.call('read_file', { vmid: far.vmid, path: far.path(name), ...more });

  describe.each(CONTAINERS)('in %s', (name) => {
    test('returns the whole of a short file, with its facts', async () => {
      const far = farNamed(name);
      await far.put('file', 'naïve\nsecond', 0o640);
      await far.run('chown', '33:44', far.path('file'));
      const result = await read(far, 'file');
      expect(result.isError, result.text).toBe(false);
      expect(result.data).toEqual({
        vmid: far.vmid,
        path: far.path('file'),
        size: 13,
        mode: '640',
        owner: expect.any(String),
        group: expect.any(String),
        uid: 33,
        gid: 44,
        sha256: sha256('naïve\nsecond'),
        encoding: 'utf-8',
        content: 'naïve\nsecond',
        start: 0,
        end: 13,
        first_line: 1,
        last_line: 2,
        total_lines: 2,
        next: null,
      });
      expect(result.text).toMatch(/lines 1 to 2 of 2 \(13 bytes\), mode 640, .*SHA-256/);
      expect(result.text).toMatch(/\[file (\w+) begins\]\nnaïve\nsecond\n\[file \1 ends\]$/);
    });

    test.each([
      ['from a line on', { line: 99 }, [98, 100]],
      ['some lines', { line: 10, lines: 3 }, [9, 12]],
      ['the last lines', { line: -2 }, [98, 100]],
      ['some of the last lines', { line: -10, lines: 2 }, [90, 92]],
      ['more last lines than there are', { line: -1000, lines: 1 }, [0, 1]],
    ] as const)('returns %s', async (_what, range, [from, to]) => {
      const far = farNamed(name);
      await far.put('file', LINES.join(''));
      const { data } = await read(far, 'file', range);
      expect(data).toMatchObject({
        content: LINES.slice(from, to).join(''),
        first_line: from + 1,
        last_line: to,
        total_lines: 100,
        sha256: sha256(LINES.join('')),
        next: to === 100 ? null : { line: to + 1 },
      });
    });

    test('returns bytes at an offset, from the end as well, and no half characters', async () => {
      const far = farNamed(name);
      const content = `${'x'.repeat(9_000)}äöü${'y'.repeat(9_000)}`;
      await far.put('file', content);
      const at = async (range: object) => (await read(far, 'file', range)).data;
      expect(await at({ offset: 9_000, bytes: 4 })).toMatchObject({
        content: 'äö',
        start: 9_000,
        end: 9_004,
      });
      expect(await at({ offset: 9_001, bytes: 3 })).toMatchObject({ content: 'ö', start: 9_002, end: 9_004 });
      expect(await at({ offset: -3 })).toMatchObject({ content: 'yyy', next: null });
      expect(await at({ offset: 99_999 })).toMatchObject({ content: '', start: 18_006, next: null });
    });

    test('cuts at the end of a line, and can be continued to the end', async () => {
      const far = farNamed(name);
      const content = Array.from({ length: 900 }, (_, index) => `a longer line ${index}\n`).join('');
      await far.put('file', content);
      let seen = '';
      let next: unknown = { line: 1 };
      let calls = 0;
      while (typeof next === 'object' && next !== null) {
        const { data } = await read(far, 'file', next);
        expect(String(data.content).length).toBeLessThanOrEqual(2000);
        expect(data.content).toMatch(/\n$/);
        seen += data.content;
        ({ next } = data);
        calls++;
      }
      expect(seen === content).toBe(true);
      expect(calls).toBeGreaterThan(5);
    });

    test('cuts a line that is longer than the limit, and continues with bytes', async () => {
      const far = farNamed(name);
      await far.put('file', 'z'.repeat(5_000));
      const { data } = await read(far, 'file');
      expect(data).toMatchObject({ content: 'z'.repeat(2_000), next: { offset: 2_000 }, first_line: 1 });
    });

    test('binary content as base64, text that is not UTF-8 as Latin-1', async () => {
      const far = farNamed(name);
      const binary = bytes(3_000);
      await far.put('binary', binary);
      expect((await read(far, 'binary')).data).toMatchObject({
        encoding: 'base64',
        content: binary.subarray(0, 1_500).toString('base64'),
        next: { offset: 1_500 },
        sha256: sha256(binary),
      });
      const latin = Buffer.from('Stra\xdfe\nz\xfcrich\n', 'latin1');
      await far.put('latin', latin);
      expect((await read(far, 'latin')).data).toMatchObject({
        encoding: 'latin1',
        content: 'Straße\nzürich\n',
        end: latin.length,
        total_lines: 2,
      });
    });

    test('redacts a key of which only the middle is asked for', async () => {
      const far = farNamed(name);
      await far.put('key', KEY);
      const { data, text } = await read(far, 'key', { line: 10, lines: 5 });
      expect(text).not.toContain('b3BlbnNzaC1rZXk');
      expect(data.content).toContain('[redacted: ');
    });

    test.each(WEIRD_NAMES)('a name with %s', async (_what, weird) => {
      const far = farNamed(name);
      await far.put(weird, 'content');
      expect((await read(far, weird)).data).toMatchObject({ content: 'content' });
      expect((await far.run('ls', '-a', far.dir)).stdout).not.toContain('pwned\n');
    });

    test('follows a link, and names the file', async () => {
      const far = farNamed(name);
      await far.put('target', 'content');
      await far.symlink('target', 'link');
      expect((await read(far, 'link')).data).toMatchObject({ path: far.path('target'), content: 'content' });
      await far.put('empty', '');
      expect((await read(far, 'empty')).data).toMatchObject({
        content: '',
        size: 0,
        total_lines: 0,
        next: null,
      });
    });

    test('refuses anything but a regular file, at once', async () => {
      const far = farNamed(name);
      await far.special('fifo', 'fifo');
      await far.special('device', 'device');
      await far.mkdir('dir');
      const code = async (file: string) => failureOf(await read(far, file)).code;
      expect(await code('fifo')).toBe('NOT_A_REGULAR_FILE');
      expect(await code('device')).toBe('NOT_A_REGULAR_FILE');
      expect(await code('missing')).toBe('SOURCE_NOT_FOUND');
      const directory = failureOf(await read(far, 'dir'));
      expect(directory).toMatchObject({
        code: 'IS_A_DIRECTORY',
        suggestion: expect.stringContaining('ls -la'),
      });
      const kmsg = await server.call('read_file', { vmid: far.vmid, path: '/proc/kmsg' });
      expect(failureOf(kmsg).code).toMatch(/NOT_A_REGULAR_FILE|SOURCE_NOT_FOUND/);
    });

    test('a huge file costs its part: the hash is left out, and that is said', async () => {
      const far = farNamed(name);
      await far.put('huge', 'begin\n');
      await far.truncate('huge', 2 ** 31);
      const result = await read(far, 'huge', { lines: 1 });
      expect(result.data).toMatchObject({
        content: 'begin\n',
        size: 2 ** 31,
        sha256: null,
        total_lines: null,
      });
      expect(result.text).toContain('SHA-256 not computed');
    });

    test('leaves no process behind when it is cancelled', async () => {
      const far = farNamed(name);
      await far.put('huge', 'begin\n');
      await far.truncate('huge', 2 ** 31);
      const cancel = new AbortController();
      const args = { vmid: far.vmid, path: far.path('huge'), line: 2_000_000_000 };
      const call = server.call('read_file', args, { signal: cancel.signal });
      const rejected = expect(call).rejects.toThrow();
      await until(async () => (await node.containerProcesses(far.vmid ?? 0, 'head -n')).length > 0);
      cancel.abort();
      await rejected;
      await until(async () => (await node.containerProcesses(far.vmid ?? 0, 'head -n')).length === 0);
    });
  });

  test('line and offset exclude each other', async () => {
    const result = await read(farNamed('debian'), 'x', { line: 1, offset: 1 });
    expect(failureOf(result)).toMatchObject({
      code: 'INVALID_INPUT',
      error: expect.stringContaining('`line`'),
    });
  });

  test('distinguishes a stopped container from an unknown one', async () => {
    const code = async (vmid: number) =>
      failureOf(await server.call('read_file', { vmid, path: '/etc/hostname' })).code;
    expect(await code(CT.stopped)).toBe('CONTAINER_NOT_RUNNING');
    expect(await code(9199)).toBe('CONTAINER_NOT_FOUND');
  });
});
