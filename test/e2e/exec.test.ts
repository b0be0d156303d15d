import { expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { execResult, failureOf, uniqueSleep, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

describeNode('exec: the result of a command', [], (rig) => {
  const node = useClient(rig);

  for (const [name, vmid] of [
    ['Debian with bash', CT.debian],
    ['busybox without bash', CT.busybox],
  ] as const) {
    test.each([
      ['true', 0],
      ['false', 1],
      ['exit 3', 3],
      ['/etc/passwd', 126],
      ['no-such-command-here', 127],
      ['kill -9 $$', 137],
      ['kill -TERM $$', 143],
      ['exit 255', 255],
    ])(`${name}: returns the exit code of %s: %i`, async (command, code) => {
      const result = await node.exec(vmid, command);
      expect(result).toMatchObject({ exit_code: code, ended: 'exit', success: code === 0, isError: false });
      expect(result.survivors).toEqual([]);
    });

    test(`${name}: separates stdout and stderr, byte for byte, without an added newline`, async () => {
      const result = await node.exec(vmid, `printf 'out\\ttab'; printf 'err ünï' >&2`);
      expect(result).toMatchObject({ stdout: 'out\ttab', stderr: 'err ünï', exit_code: 0 });
    });

    test(`${name}: adds no shell message to stderr when a signal kills the command`, async () => {
      expect(await node.exec(vmid, 'echo only >&2; kill -9 $$')).toMatchObject({ stderr: 'only\n' });
    });

    test(`${name}: provides a clean and complete environment`, async () => {
      const { stdout } = await node.exec(vmid, 'env; pwd');
      expect(stdout).toContain('HOME=/root\n');
      expect(stdout).toContain('LANG=C.UTF-8\n');
      expect(stdout).toContain('TERM=dumb\n');
      expect(stdout).toContain('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
      expect(stdout).not.toMatch(/SSH_|LC_/);
      expect(stdout.trimEnd().split('\n').at(-1)).toBe('/root');
    });

    test(`${name}: closes stdin, so that a program that reads it does not hang`, async () => {
      const result = await node.exec(vmid, 'cat; read -r line; echo "read says $?"', { timeout: 5 });
      expect(result).toMatchObject({ stdout: 'read says 1\n', ended: 'exit' });
    });

    test(`${name}: passes any quoting to the shell unchanged`, async () => {
      const text = `a'b"c\\d$HOME\`x\`;|&<>(){}*?~#!\t%\n-n "é"`;
      const result = await node.exec(vmid, `printf '%s' ${quoteForTest(text)}`);
      expect(result.stdout).toBe(text);
    });
  }

  test('uses bash where it is installed', async () => {
    expect(await node.exec(CT.debian, 'echo $BASH_VERSION')).toMatchObject({
      stdout: expect.stringMatching(/^\d/),
    });
    expect(await node.exec(CT.busybox, 'echo "[$BASH_VERSION]"')).toMatchObject({ stdout: '[]\n' });
  });

  test('returns the exit code of a command that sends TERM to its own process group', async () => {
    expect(await node.exec(CT.debian, 'kill -TERM 0; sleep 5')).toMatchObject({
      exit_code: 143,
      ended: 'exit',
    });
  });

  test('reports an unknown exit code, never success, when the reporter is killed', async () => {
    const result = await node.exec(CT.debian, 'echo before; kill -9 $PPID; sleep 1');
    expect(result).toMatchObject({
      isError: true,
      success: false,
      exit_code: null,
      code: 'EXIT_UNKNOWN',
      stdout: 'before\n',
    });
  });

  test.each([
    ['that holds the output', ''],
    ['that holds no output', 'exec >/dev/null 2>&1; '],
  ])('kills what is left of a command %s when the reporter is killed', async (_name, streams) => {
    const n = uniqueSleep();
    const result = await node.exec(CT.debian, `${streams}setsid sleep ${n} & kill -9 $PPID; sleep ${n}`);
    expect(result).toMatchObject({
      code: 'EXIT_UNKNOWN',
      exit_code: null,
      survivors: [],
      output_held: false,
    });
    expect(result.error).toContain('None of its processes is left.');
    expect(await rig.containerProcesses(CT.debian, n)).toEqual([]);
  });

  test('ignores a lock on the container', async () => {
    expect(await node.exec(CT.locked, 'echo fine')).toMatchObject({ stdout: 'fine\n', exit_code: 0 });
    const undo = await rig.holdConfigLock(CT.debian);
    try {
      expect(await node.exec(CT.debian, 'echo fine', { timeout: 5 })).toMatchObject({ exit_code: 0 });
    } finally {
      await undo();
    }
  });

  test('returns the same in text and structured result', async () => {
    const result = await node.call('container_exec_command', {
      vmid: String(CT.debian),
      command: 'echo o; echo e >&2; exit 7',
    });
    expect(result.text).toContain('o\n');
    expect(result.text).toMatch(/exit code: 7/i);
    expect(execResult(result)).toMatchObject({ stdout: 'o\n', stderr: 'e\n', exit_code: 7 });
    const json = await node.call('container_exec_command', {
      vmid: CT.debian,
      command: 'exit 7',
      response_format: 'JSON',
    });
    expect(JSON.parse(json.text)).toMatchObject({ exit_code: 7, success: false });
  });
});

describeNode('exec: a command that cannot run', [], (rig) => {
  const node = useClient(rig);
  const failing = async (vmid: number) =>
    failureOf(await node.call('container_exec_command', { vmid, command: 'echo ran' }));

  test('names the tool that starts a stopped container', async () => {
    const failure = await failing(CT.stopped);
    expect(failure.code).toBe('CONTAINER_NOT_RUNNING');
    expect(failure.suggestion).toContain('proxmox_start_container');
  });

  test('names the tool that lists containers for an unknown VMID', async () => {
    const failure = await failing(CT.unknown);
    expect(failure.code).toBe('CONTAINER_NOT_FOUND');
    expect(failure.suggestion).toContain('proxmox_list_containers');
  });

  test('names the node of a container whose node cannot be used', async () => {
    const failure = await failing(CT.elsewhere);
    expect(failure.code).toBe('SSH_UNREACHABLE');
    expect(failure.error).toContain('pve2');
  });

  test('reports a virtual machine', async () => {
    expect((await failing(100)).code).toBe('NOT_A_CONTAINER');
  });

  test('reports a container without a shell, for exec and transfers', async () => {
    const undo = await rig.startWithoutShell();
    try {
      expect((await failing(CT.stopped)).code).toBe('NO_SHELL');
      const upload = await node.call('upload_file_to_container', {
        vmid: CT.stopped,
        local_path: 'x',
        container_path: '/x',
      });
      expect(upload.isError).toBe(true);
      const download = await node.call('download_file_from_container', {
        vmid: CT.stopped,
        local_path: 'x',
        container_path: '/x',
      });
      expect(failureOf(download).code).toBe('NO_SHELL');
    } finally {
      await undo();
    }
  });

  /** The current delay of calls compared with an idle machine: the time of commands in another container, before and after. */
  async function delayOfLoad(): Promise<() => Promise<number>> {
    const measure = async () => {
      const since = performance.now();
      await node.exec(CT.debian, 'true');
      return 5 * (performance.now() - since);
    };
    const before = await measure();
    return async () => Math.max(before, await measure());
  }

  test('reports a frozen container within 3 s, and runs nothing after the thaw', async () => {
    const load = await delayOfLoad();
    const undo = await rig.freeze(CT.busybox);
    const started = performance.now();
    try {
      const result = await node.call('container_exec_command', {
        vmid: CT.busybox,
        command: 'touch /root/it-ran',
      });
      const took = performance.now() - started;
      expect(took).toBeLessThan(3_000 + (await load()));
      expect(failureOf(result).code).toBe('CONTAINER_FROZEN');
      expect(result.data.error).toContain('frozen');
    } finally {
      await undo();
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await rig.inContainer(CT.busybox, ['ls', '/root/it-ran'])).code).not.toBe(0);
    expect(await node.exec(CT.busybox, 'echo thawed')).toMatchObject({ stdout: 'thawed\n' });
  });

  test('reports a frozen container for a transfer within 3 s', async () => {
    const load = await delayOfLoad();
    const undo = await rig.freeze(CT.busybox);
    const started = performance.now();
    try {
      const result = await node.call('download_file_from_container', {
        vmid: CT.busybox,
        container_path: '/etc/passwd',
        local_path: 'passwd',
      });
      const took = performance.now() - started;
      expect(took).toBeLessThan(3_000 + (await load()));
      expect(failureOf(result).code).toBe('CONTAINER_FROZEN');
    } finally {
      await undo();
    }
  });
});

function quoteForTest(text: string): string {
  return `'${text.split("'").join(`'"'"'`)}'`;
}
