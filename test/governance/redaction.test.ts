import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { useClient } from '../e2e/connect.ts';
import type { NodeUnderTest } from '../e2e/nodes.ts';
import { describeNode } from '../e2e/nodes.ts';
import type { CallOptions, CallResult, Progress } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';

const SECRET = 'correct-horse/battery+9';
const MARK = '[redacted: SSH_PASSWORD]';
const withoutIds = (text: string) => text.replaceAll(/(\[redacted: [^\][]+) [0-9a-f]{6}\]/g, '$1]');

/** A client whose results have placeholders without their random id. */
function useRedactedClient(rig: NodeUnderTest, env: Readonly<Record<string, string>> = {}) {
  const node = useClient(rig, env);
  const stripped = (value: unknown): unknown => (typeof value === 'string' ? withoutIds(value) : value);
  return {
    get client() {
      return node.client;
    },
    get dir() {
      return node.dir;
    },
    call: async (tool: string, args: Record<string, unknown>, options?: CallOptions): Promise<CallResult> => {
      const result = await node.call(tool, args, options);
      const data = Object.fromEntries(
        Object.entries(result.data).map(([name, value]) => [name, stripped(value)]),
      );
      return { ...result, text: withoutIds(result.text), data };
    },
    exec: async (
      vmid: number,
      command: string,
      more: Record<string, unknown> = {},
      options?: CallOptions,
    ) => {
      const result = await node.exec(vmid, command, more, options);
      const { stdout, stderr, text } = result;
      return { ...result, stdout: withoutIds(stdout), stderr: withoutIds(stderr), text: withoutIds(text) };
    },
  };
}

/** No command line contains it in one piece, so that a match must come from the container's output. */
const PRINT_SECRET = `printf '%s%s' correct-horse/ battery+9`;

describeNode('a known secret', [], (rig) => {
  const node = useRedactedClient(rig, { SSH_PASSWORD: SECRET, CHARACTER_LIMIT: '1000' });

  test('is redacted on stdout and stderr, in data and text, and counted', async () => {
    const result = await node.exec(CT.debian, `${PRINT_SECRET}; (${PRINT_SECRET}; echo) >&2`);
    expect(result).toMatchObject({ stdout: MARK, stderr: `${MARK}\n`, exit_code: 0, redacted: 2 });
    expect(result.stdout_original_length).toBe(SECRET.length);
    expect(result.text).toContain(` begins]\n${MARK}\n[output `);
    expect(result.text).not.toContain(SECRET);
  });

  test('is redacted in JSON, which stays valid and equal to the data', async () => {
    const result = await node.call('container_exec_command', {
      vmid: CT.debian,
      command: `printf '{"a":"%s%s"}' correct-horse/ battery+9`,
      response_format: 'json',
    });
    expect(result.data.stdout).toBe(`{"a":"${MARK}"}`);
    expect(JSON.parse(result.text)).toEqual(result.data);
  });

  test('is redacted wherever truncation cuts through it', async () => {
    const middle = 'y'.repeat(60_000);
    await rig.writeInContainer(CT.debian, '/tmp/middle', middle);
    for (let before = 440; before < 500; before += 7) {
      await rig.writeInContainer(CT.debian, '/tmp/around', 'x'.repeat(before));
      const around = 'cat /tmp/around';
      const command = `${around}; ${PRINT_SECRET}; cat /tmp/middle; ${PRINT_SECRET}; ${around}`;
      const result = await node.exec(CT.debian, command);
      expect(result).toMatchObject({
        stdout_truncated: true,
        stdout_original_length: 2 * before + middle.length + 2 * SECRET.length,
      });
      expect(result.stdout).not.toMatch(/cor|hors|bat|y\+9/);
    }
  });

  test('is redacted in errors: in file names and in stderr after a timeout', async () => {
    const missing = await node.call('download_file_from_container', {
      vmid: CT.debian,
      container_path: `/tmp/${SECRET}`,
      local_path: 'x',
    });
    expect(missing).toMatchObject({ isError: true, data: { code: 'SOURCE_NOT_FOUND' } });
    expect(missing.data.error).toContain(MARK);
    expect(JSON.stringify(missing)).not.toContain(SECRET);
    const late = await node.exec(CT.debian, `${PRINT_SECRET} >&2; sleep 30`, { timeout: 1 });
    expect(late).toMatchObject({ ended: 'timeout', stderr: MARK });
  });

  test('is redacted in the log at level debug', async () => {
    await node.exec(CT.debian, `echo ${SECRET}; ${PRINT_SECRET}`);
    expect(node.client.stderr()).toContain('tool call');
    expect(node.client.stderr()).not.toContain(SECRET);
  });

  test('is not redacted in transferred files', async () => {
    await rig.writeInContainer(CT.debian, '/tmp/secret-file', `a ${SECRET} \u001b[31m b`);
    const result = await node.call('download_file_from_container', {
      vmid: CT.debian,
      container_path: '/tmp/secret-file',
      local_path: 'secret-file',
    });
    expect(result).toMatchObject({ isError: false, data: { bytes_transferred: SECRET.length + 10 } });
  });
});

describeNode('secrets found by pattern', [], (rig) => {
  const key = `-----BEGIN ${'OPENSSH'} PRIVATE KEY-----\n${`${'QUJD'.repeat(17)}QU\n`.repeat(30)}-----END ${'OPENSSH'} PRIVATE KEY-----\n`;
  const token = `ghp_${'a1B2'.repeat(9)}`;
  const env = `DB_PASSWORD=hunter2\nTOKEN=${token}\n`;

  describe('by default', () => {
    const node = useRedactedClient(rig, { CHARACTER_LIMIT: '1000' });

    test('redacts private keys', async () => {
      await rig.writeInContainer(CT.debian, '/root/id_x', key);
      const result = await node.exec(CT.debian, 'echo before; cat /root/id_x; echo after');
      expect(result).toMatchObject({ stdout: 'before\n[redacted: private key]\nafter\n', redacted: 1 });
      const begun = await node.exec(CT.debian, 'head -c 700 /root/id_x; echo; echo ==');
      expect(begun.stdout).toBe('[redacted: private key]\n==\n');
      const ended = await node.exec(CT.debian, 'echo ==; tail -n 5 /root/id_x');
      expect(ended.stdout).toBe('==\n[redacted: private key]\n');
      const lost = await node.exec(CT.debian, 'cat /root/id_x; seq 20000; cat /root/id_x');
      expect(lost.stdout).not.toContain('QUJD');
      expect(lost).toMatchObject({ redacted: 2, stdout_truncated: true });
    });

    test('redacts passwords and tokens, and keeps the rest of the line', async () => {
      await rig.writeInContainer(CT.debian, '/root/x.env', env);
      const result = await node.exec(CT.debian, 'cat /root/x.env');
      expect(result.stdout).toBe('DB_PASSWORD=[redacted: password]\nTOKEN=[redacted: token]\n');
      const grep = await node.exec(CT.debian, 'sed s/TOKEN=// /root/x.env');
      expect(grep.stdout).toContain('[redacted: token]\n');
    });
  });

  describe('with REDACT_FORMS=false', () => {
    const node = useRedactedClient(rig, { REDACT_FORMS: 'false', SSH_PASSWORD: SECRET });

    test('shows them, but redacts known values', async () => {
      await rig.writeInContainer(CT.debian, '/root/x.env', env);
      const result = await node.exec(CT.debian, `cat /root/x.env; ${PRINT_SECRET}`);
      expect(result).toMatchObject({ stdout: `${env}${MARK}`, redacted: 1 });
    });
  });
});

describeNode('a secret in a progress message', [], (rig) => {
  const node = useRedactedClient(rig, { SSH_PASSWORD: 'running for' });

  test('is redacted', async () => {
    const notes: Progress[] = [];
    await node.exec(CT.debian, 'sleep 3', {}, { onProgress: (note) => notes.push(note) });
    const messages = notes.map(({ message }) => withoutIds(message ?? ''));
    expect(messages).toContainEqual(expect.stringContaining(MARK));
    expect(messages.join()).not.toContain('running for');
  });
});

describeNode('text from containers', [], (rig) => {
  const node = useRedactedClient(rig);

  test('shows invisible and control characters as escapes, and keeps everything else byte for byte', async () => {
    const nasty = 'a\u001b[31mb\u202ec\u200bd\u2060e\ufefff\u{e0041}g\u0007h\u009bi\rj\u007fk';
    const fine = '\tä 👨‍👩‍👧 ☎️ می‌خواهم \\u{1b} <U+001B>\r\nend\n';
    await rig.writeInContainer(CT.debian, '/tmp/text', nasty + fine);
    const result = await node.exec(CT.debian, 'cat /tmp/text');
    const shown =
      'a<U+001B>[31mb<U+202E>c<U+200B>d<U+2060>e<U+FEFF>f<U+E0041>g<U+0007>h<U+009B>i<U+000D>j<U+007F>k';
    expect(result.stdout).toBe(shown + fine);
    expect(result.stdout_original_length).toBe([...(nasty + fine)].length);
    expect(result.text).toContain(shown);
  });

  test('is escaped on stderr and in errors, too', async () => {
    const result = await node.exec(CT.debian, `printf 'x\\033[2Jy' >&2`);
    expect(result.stderr).toBe('x<U+001B>[2Jy');
    const missing = await node.call('download_file_from_container', {
      vmid: CT.debian,
      container_path: '/tmp/a\u001b\u202eb',
      local_path: 'x',
    });
    expect(missing.data.error).toContain('/tmp/a<U+001B><U+202E>b');
  });

  test('is not escaped in transferred files', async () => {
    await writeFile(path.join(node.dir, 'raw'), 'a\u001b\u202eb');
    await node.call('upload_file_to_container', {
      vmid: CT.debian,
      local_path: 'raw',
      container_path: '/tmp/raw',
      overwrite: true,
    });
    expect((await rig.readInContainer(CT.debian, '/tmp/raw')).toString()).toBe('a\u001b\u202eb');
  });
});

describeNode('a placeholder', [], (rig) => {
  const node = useClient(rig, { SSH_PASSWORD: SECRET });

  test('in a command is refused, and nothing runs', async () => {
    await rig.writeInContainer(CT.debian, '/tmp/config', 'DB_PASSWORD=hunter2\n');
    const { stdout } = await node.exec(CT.debian, 'cat /tmp/config');
    expect(stdout).toMatch(/^DB_PASSWORD=\[redacted: password [0-9a-f]{6}\]\n$/);
    const refused = await node.call('container_exec_command', {
      vmid: CT.debian,
      command: `cat > /tmp/config <<'EOF'\n${stdout}PORT=1\nEOF`,
    });
    expect(refused).toMatchObject({ isError: true, data: { code: 'PLACEHOLDER_IN_INPUT' } });
    expect(refused.data.error).toMatch(
      /"command" contains \[redacted: password \w+\].*The call was not executed/s,
    );
    expect((await rig.readInContainer(CT.debian, '/tmp/config')).toString()).toBe('DB_PASSWORD=hunter2\n');
  });

  test('in a local file is refused, even across chunks, and the destination is kept', async () => {
    await rig.writeInContainer(CT.debian, '/tmp/config', 'DB_PASSWORD=hunter2\n');
    for (const before of [0, 256 * 1024 - 20]) {
      await writeFile(
        path.join(node.dir, 'config'),
        `${'#'.repeat(before)}\nX=[redacted: password 0a1b2c]\n`,
      );
      const refused = await node.call('upload_file_to_container', {
        vmid: CT.debian,
        local_path: 'config',
        container_path: '/tmp/config',
        overwrite: true,
      });
      expect(refused).toMatchObject({ isError: true, data: { code: 'PLACEHOLDER_IN_INPUT' } });
    }
    expect((await rig.readInContainer(CT.debian, '/tmp/config')).toString()).toBe('DB_PASSWORD=hunter2\n');
  });
});
