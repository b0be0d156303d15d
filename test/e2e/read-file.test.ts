import { describe, expect, test } from 'vitest';
import { endOf } from '../mcp/client.ts';
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

const FACTS =
  /^(?<path>.+) in container \d+: (?:(?<empty>empty|nothing at this position)|(?:lines? (?<first>\d+)(?: to (?<last>\d+))?(?: of (?<total>\d+))? \()?(?:(?<whole>[\d.]+ \w+)|bytes (?<start>\d+) to (?<end>\d+) of (?<size>\d+))\)?(?: as (?<how>Latin-1|base64).*)?), mode (?<mode>\d+), (?<owner>[^,]+), SHA-256 (?<hash>[0-9a-f]{64}|not computed.*)$/;
const NEXT = /^Continue with (line|offset)=(\d+)\.$/m;

/** What a result says, which MCP clients get as text only. */
function partOf(text: string) {
  const [frame = '', , shown = ''] =
    /\[file ([0-9a-f]{8}) begins\]\n([\s\S]*)\n\[file \1 ends\]/.exec(text) ?? [];
  const around = frame === '' ? text : text.replace(frame, () => '');
  const [head = ''] = around.split('\n');
  const facts = FACTS.exec(head)?.groups;
  if (facts === undefined) throw new Error(`not the facts of a part: ${head}`);
  const number = (digits: string | undefined) => (digits === undefined ? null : Number(digits));
  const [, unit, at] = NEXT.exec(around) ?? [];
  const next = unit === undefined ? null : { [unit]: Number(at) };
  // The frame ends with a newline in any case.
  const ends = next === null ? !around.includes('The last line has no newline.') : unit === 'line';
  return {
    path: facts.path,
    content: frame === '' ? '' : facts.how === 'base64' || !ends ? shown : `${shown}\n`,
    lines: [number(facts.first), number(facts.last ?? facts.first), number(facts.total)],
    bytes: facts.whole ?? [number(facts.start), (number(facts.end) ?? -1) + 1, number(facts.size)],
    empty: facts.empty,
    encoding: facts.how ?? 'UTF-8',
    mode: facts.mode,
    owner: facts.owner,
    sha256: /^not/.test(facts.hash ?? '') ? null : facts.hash,
    next,
    redacted: Number(/^(\d+) secrets? (?:is|are) redacted/m.exec(around)?.[1] ?? 0),
  };
}

describeNode('read_file', [], (node) => {
  const server = useClient(node, { CHARACTER_LIMIT: '2000' });
  const farNamed = useFars(node);

  const call = (far: Far, name: string, more: object = {}) =>
    server.call('read_file', { vmid: far.vmid, path: far.path(name), ...more });

  async function read(far: Far, name: string, more: object = {}) {
    const { isError, data, text } = await call(far, name, more);
    expect(isError, text).toBe(false);
    // The text of the file is sent once.
    expect(data).toEqual({});
    return partOf(text);
  }

  describe.each(CONTAINERS)('in %s', (name) => {
    test('returns the whole of a short file, with its facts', async () => {
      const far = farNamed(name);
      await far.put('file', 'naïve\nsecond', 0o640);
      await far.run('chown', '33:44', far.path('file'));
      const { text, data } = await call(far, 'file');
      expect(data).toEqual({});
      expect(partOf(text)).toEqual({
        path: far.path('file'),
        content: 'naïve\nsecond',
        lines: [1, 2, 2],
        bytes: '13 bytes',
        empty: undefined,
        encoding: 'UTF-8',
        mode: '640',
        owner: expect.stringMatching(/^[\w-]+:[\w-]+$/),
        sha256: sha256('naïve\nsecond'),
        next: null,
        redacted: 0,
      });
      expect(text).toMatch(
        /\n\[file (\w+) begins\]\nnaïve\nsecond\n\[file \1 ends\]\nThe last line has no newline\.$/,
      );
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
      expect(await read(far, 'file', range)).toMatchObject({
        content: LINES.slice(from, to).join(''),
        lines: [from + 1, to, 100],
        sha256: sha256(LINES.join('')),
        next: to === 100 ? null : { line: to + 1 },
      });
    });

    test('returns bytes at an offset, from the end as well, and no half characters', async () => {
      const far = farNamed(name);
      const content = `${'x'.repeat(9_000)}äöü${'y'.repeat(9_000)}`;
      await far.put('file', content);
      const at = (range: object) => read(far, 'file', range);
      const size = 18_006;
      expect(await at({ offset: 9_000, bytes: 4 })).toMatchObject({
        content: 'äö',
        bytes: [9_000, 9_004, size],
        next: { offset: 9_004 },
      });
      expect(await at({ offset: 9_001, bytes: 3 })).toMatchObject({
        content: 'ö',
        bytes: [9_002, 9_004, size],
      });
      expect(await at({ offset: -3 })).toMatchObject({ content: 'yyy', next: null });
      expect(await at({ offset: 99_999 })).toMatchObject({
        content: '',
        empty: 'nothing at this position',
        next: null,
      });
    });

    test('cuts at the end of a line, and can be continued to the end', async () => {
      const far = farNamed(name);
      const content = Array.from({ length: 900 }, (_, index) => `a longer line ${index}\n`).join('');
      await far.put('file', content);
      let seen = '';
      let next: unknown = { line: 1 };
      let calls = 0;
      while (typeof next === 'object' && next !== null) {
        const part = await read(far, 'file', next);
        expect(part.content.length).toBeLessThanOrEqual(2000);
        expect(part.content).toMatch(/\n$/);
        seen += part.content;
        ({ next } = part);
        calls++;
      }
      expect(seen === content).toBe(true);
      expect(calls).toBeGreaterThan(5);
    });

    test('cuts a line that is longer than the limit, and continues with bytes', async () => {
      const far = farNamed(name);
      await far.put('file', 'z'.repeat(5_000));
      expect(await read(far, 'file')).toMatchObject({
        content: 'z'.repeat(2_000),
        next: { offset: 2_000 },
        lines: [1, 1, 1],
      });
    });

    test('binary content as base64, text that is not UTF-8 as Latin-1', async () => {
      const far = farNamed(name);
      const binary = bytes(3_000);
      await far.put('binary', binary);
      expect(await read(far, 'binary')).toMatchObject({
        encoding: 'base64',
        content: binary.subarray(0, 1_500).toString('base64'),
        next: { offset: 1_500 },
        sha256: sha256(binary),
      });
      const latin = Buffer.from('Stra\xdfe\nz\xfcrich\n', 'latin1');
      await far.put('latin', latin);
      expect(await read(far, 'latin')).toMatchObject({
        encoding: 'Latin-1',
        content: 'Straße\nzürich\n',
        bytes: '14 bytes',
        lines: [1, 2, 2],
      });
    });

    test('redacts a key of which only the middle is asked for', async () => {
      const far = farNamed(name);
      await far.put('key', KEY);
      const { content, redacted } = await read(far, 'key', { line: 10, lines: 5 });
      expect(content).not.toContain('b3BlbnNzaC1rZXk');
      expect(content).toContain('[redacted: ');
      expect(redacted).toBe(1);
    });

    test.each(WEIRD_NAMES)('a name with %s', async (_what, weird) => {
      const far = farNamed(name);
      await far.put(weird, 'content');
      // A newline in a name begins no line of the text.
      expect(await read(far, weird)).toMatchObject({ content: 'content' });
      expect((await far.run('ls', '-a', far.dir)).stdout).not.toContain('pwned\n');
    });

    test('follows a link, and names the file', async () => {
      const far = farNamed(name);
      await far.put('target', 'content');
      await far.symlink('target', 'link');
      expect(await read(far, 'link')).toMatchObject({ path: far.path('target'), content: 'content' });
      await far.put('empty', '');
      expect(await read(far, 'empty')).toMatchObject({ content: '', empty: 'empty', next: null });
    });

    test('refuses anything but a regular file, at once', async () => {
      const far = farNamed(name);
      await far.special('fifo', 'fifo');
      await far.special('device', 'device');
      await far.mkdir('dir');
      const code = async (file: string) => failureOf(await call(far, file)).code;
      expect(await code('fifo')).toBe('NOT_A_REGULAR_FILE');
      expect(await code('device')).toBe('NOT_A_REGULAR_FILE');
      expect(await code('missing')).toBe('SOURCE_NOT_FOUND');
      const directory = failureOf(await call(far, 'dir'));
      expect(directory).toMatchObject({
        code: 'IS_A_DIRECTORY',
        suggestion: expect.stringContaining('ls -la'),
      });
      const kmsg = await server.call('read_file', { vmid: far.vmid, path: '/proc/kmsg' });
      expect(failureOf(kmsg).code).toMatch(/NOT_A_REGULAR_FILE|SOURCE_NOT_FOUND|PERMISSION_DENIED/);
    });

    test('a huge file costs its part: the hash is left out, and that is said', async () => {
      const far = farNamed(name);
      await far.put('huge', 'begin\n');
      await far.truncate('huge', 2 ** 31);
      expect(await read(far, 'huge', { lines: 1 })).toMatchObject({
        content: 'begin\n',
        bytes: [0, 6, 2 ** 31],
        sha256: null,
        lines: [1, 1, null],
      });
    });

    test('leaves no process behind when it is cancelled', async () => {
      const far = farNamed(name);
      await far.put('huge', 'begin\n');
      await far.truncate('huge', 2 ** 31);
      const cancel = new AbortController();
      const args = { vmid: far.vmid, path: far.path('huge'), line: 2_000_000_000 };
      const cancelled = server.call('read_file', args, { signal: cancel.signal });
      const end = endOf(cancelled);
      await until(async () => (await node.containerProcesses(far.vmid ?? 0, 'head -n')).length > 0);
      cancel.abort();
      expect(await end).toBe('rejected');
      await until(async () => (await node.containerProcesses(far.vmid ?? 0, 'head -n')).length === 0);
    });
  });

  test('line and offset exclude each other', async () => {
    const result = await call(farNamed('debian'), 'x', { line: 1, offset: 1 });
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
