import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeRig } from '../rig/require.ts';
import { CT } from '../rig/rig.ts';
import { execResult, failureOf, uniqueSleep, useClient } from './connect.ts';

describeRig('exec: what a command did is what is reported', (rig) => {
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
    ])(`${name}: %s exits with %i`, async (command, code) => {
      const result = await node.exec(vmid, command);
      expect(result).toMatchObject({ exit_code: code, ended: 'exit', success: code === 0, isError: false });
      expect(result.survivors).toEqual([]);
    });

    test(`${name}: stdout and stderr stay apart, byte for byte, without a line end at the end`, async () => {
      const result = await node.exec(vmid, `printf 'out\\ttab'; printf 'err ünï' >&2`);
      expect(result).toMatchObject({ stdout: 'out\ttab', stderr: 'err ünï', exit_code: 0 });
    });

    test(`${name}: a command killed by a signal adds nothing of the shell's to stderr`, async () => {
      expect(await node.exec(vmid, 'echo only >&2; kill -9 $$')).toMatchObject({ stderr: 'only\n' });
    });

    test(`${name}: the environment is clean and complete`, async () => {
      const { stdout } = await node.exec(vmid, 'env; pwd');
      expect(stdout).toContain('HOME=/root\n');
      expect(stdout).toContain('LANG=C.UTF-8\n');
      expect(stdout).toContain('TERM=dumb\n');
      expect(stdout).toContain('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
      expect(stdout).not.toMatch(/SSH_|LC_/);
      expect(stdout.trimEnd().split('\n').at(-1)).toBe('/root');
    });

    test(`${name}: stdin is closed, so a program that reads ends at once`, async () => {
      const result = await node.exec(vmid, 'cat; read -r line; echo "read says $?"', { timeout: 5 });
      expect(result).toMatchObject({ stdout: 'read says 1\n', ended: 'exit' });
    });

    test(`${name}: quoting of any kind reaches the shell as it was written`, async () => {
      const text = `a'b"c\\d$HOME\`x\`;|&<>(){}*?~#!\t%\n-n "é"`;
      const result = await node.exec(vmid, `printf '%s' ${quoteForTest(text)}`);
      expect(result.stdout).toBe(text);
    });
  }

  test('bash is used where there is one', async () => {
    expect(await node.exec(CT.debian, 'echo $BASH_VERSION')).toMatchObject({ stdout: /^\d/ });
    expect(await node.exec(CT.busybox, 'echo "[$BASH_VERSION]"')).toMatchObject({ stdout: '[]\n' });
  });

  test('a TERM that the command sends to its own process group does not take the exit code along', async () => {
    expect(await node.exec(CT.debian, 'kill -TERM 0; sleep 5')).toMatchObject({
      exit_code: 143,
      ended: 'exit',
    });
  });

  test('when the reporter is killed, the exit code is said to be unknown, and never success', async () => {
    const result = await node.exec(CT.debian, 'echo before; kill -9 $PPID; sleep 1');
    expect(result).toMatchObject({
      isError: true,
      success: false,
      exit_code: null,
      code: 'EXIT_UNKNOWN',
      stdout: 'before\n',
    });
  });

  test('a lock on the container refuses nothing', async () => {
    expect(await node.exec(CT.locked, 'echo fine')).toMatchObject({ stdout: 'fine\n', exit_code: 0 });
    const undo = await rig.holdConfigLock(CT.debian);
    try {
      expect(await node.exec(CT.debian, 'echo fine', { timeout: 5 })).toMatchObject({ exit_code: 0 });
    } finally {
      await undo();
    }
  });

  test('text and structured result tell the same', async () => {
    const result = await node.call('container_exec_command', {
      vmid: '9101',
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

describeRig('exec: why a command could not run', (rig) => {
  const node = useClient(rig);
  const failing = async (vmid: number) =>
    failureOf(await node.call('container_exec_command', { vmid, command: 'echo ran' }));

  test('a stopped container, with the tool that starts it', async () => {
    const failure = await failing(CT.stopped);
    expect(failure.code).toBe('CONTAINER_NOT_RUNNING');
    expect(failure.suggestion).toContain('proxmox_start_container');
  });

  test('an unknown container, with the tool that lists them', async () => {
    const failure = await failing(CT.unknown);
    expect(failure.code).toBe('CONTAINER_NOT_FOUND');
    expect(failure.suggestion).toContain('proxmox_list_containers');
  });

  test('a container of another node, which is named', async () => {
    const failure = await failing(CT.elsewhere);
    expect(failure.code).toBe('CONTAINER_ON_OTHER_NODE');
    expect(failure.error).toContain('pve2');
  });

  test('a virtual machine', async () => {
    expect((await failing(100)).code).toBe('NOT_A_CONTAINER');
  });

  test('a container without a shell, for exec and for transfers', async () => {
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

  test('a frozen container is told within 3 s, and after the thaw nothing has run', async () => {
    const undo = await rig.freeze(CT.busybox);
    const started = performance.now();
    try {
      const result = await node.call('container_exec_command', {
        vmid: CT.busybox,
        command: 'touch /root/it-ran',
      });
      expect(performance.now() - started).toBeLessThan(3_000);
      expect(failureOf(result).code).toBe('CONTAINER_FROZEN');
      expect(result.data.error).toContain('frozen');
    } finally {
      await undo();
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await rig.inContainer(CT.busybox, ['ls', '/root/it-ran'])).code).not.toBe(0);
    expect(await node.exec(CT.busybox, 'echo thawed')).toMatchObject({ stdout: 'thawed\n' });
  });

  test('a transfer into a frozen container is told within 3 s, too', async () => {
    const undo = await rig.freeze(CT.busybox);
    const started = performance.now();
    try {
      const result = await node.call('download_file_from_container', {
        vmid: CT.busybox,
        container_path: '/etc/passwd',
        local_path: 'passwd',
      });
      expect(performance.now() - started).toBeLessThan(3_000);
      expect(failureOf(result).code).toBe('CONTAINER_FROZEN');
    } finally {
      await undo();
    }
  });
});

describeRig('exec: output of any size', (rig) => {
  const node = useClient(rig, { CHARACTER_LIMIT: '2000' });

  test('head and tail are kept, the middle is counted, the limit holds for both streams together', async () => {
    const result = await node.exec(CT.debian, 'seq 100000; seq 100000 >&2; exit 5');
    expect(result).toMatchObject({ exit_code: 5, stdout_truncated: true, stderr_truncated: true });
    expect(result.stdout_original_length).toBe(588_895);
    expect(result.stderr_original_length).toBe(588_895);
    expect(result.stdout.length + result.stderr.length).toBeLessThanOrEqual(2000);
    for (const stream of [result.stdout, result.stderr]) {
      expect(stream.length).toBeGreaterThanOrEqual(450);
      expect(stream).toMatch(/^1\n2\n3\n/);
      expect(stream).toMatch(/99999\n100000\n$/);
    }
  });

  test('a gigabyte streams by while the memory of the server stays flat', async () => {
    const result = await node.exec(CT.debian, `head -c 1073741824 /dev/zero | tr '\\0' x; echo end`, {
      timeout: 300,
    });
    expect(result).toMatchObject({ exit_code: 0, stdout_original_length: 1_073_741_828 });
    expect(result.stdout).toMatch(/x\nend\n$|xend\n$/);
    const peak = Number(
      /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${node.client.pid}/status`, 'utf8'))?.[1],
    );
    expect(peak).toBeLessThan(250 * 1024); // run from sources; the built server is measured by the benchmark
  }, 310_000);
});

describeRig('exec: processes left in the background', (rig) => {
  const node = useClient(rig);

  test('do not hold the call; the result says that they hold the output, and how to redirect it', async () => {
    const seconds = uniqueSleep();
    const result = await node.exec(CT.debian, `sleep ${seconds} & echo started`);
    expect(result).toMatchObject({ stdout: 'started\n', exit_code: 0, output_held: true });
    expect(result.duration_ms).toBeLessThan(5_000);
    expect(result.text).toContain('>/tmp/out 2>&1 </dev/null &');
    expect(await rig.containerProcesses(CT.debian, `sleep ${seconds}`)).toHaveLength(1);
    await rig.inContainer(CT.debian, ['pkill', '-f', `sleep ${seconds}`]);
  });

  test('with their output redirected are not mentioned', async () => {
    const seconds = uniqueSleep();
    const result = await node.exec(
      CT.debian,
      `nohup sleep ${seconds} >/tmp/out 2>&1 </dev/null & echo started`,
    );
    expect(result).toMatchObject({ output_held: false, exit_code: 0 });
    await rig.inContainer(CT.debian, ['pkill', '-f', `sleep ${seconds}`]);
  });

  test('forty calls that leave one each succeed, and so does the next; more than 32 lose their channel', async () => {
    const seconds = uniqueSleep();
    // Each writes once its channel is closed, and dies of it; those that are drained live on.
    const command = `(trap '' PIPE; while sleep 0.2; do echo tick || exit; done; : ${seconds}) & echo started`;
    for (let i = 0; i < 40; i += 8) {
      const results = await Promise.all(Array.from({ length: 8 }, () => node.exec(CT.debian, command)));
      for (const result of results) expect(result).toMatchObject({ exit_code: 0, output_held: true });
    }
    expect(await node.exec(CT.debian, 'echo next')).toMatchObject({ stdout: 'next\n' });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const left = (await rig.containerProcesses(CT.debian, seconds)).filter(({ comm }) => comm !== 'sleep');
    expect(left.length).toBe(32);
    await rig.inContainer(CT.debian, ['pkill', '-KILL', '-f', seconds]);
  }, 60_000);
});

describeRig('exec: many at once', (rig) => {
  const node = useClient(rig);

  test('64 calls at once all succeed, each with its own answer', async () => {
    const results = await Promise.all(
      Array.from({ length: 64 }, (_, i) => node.exec(CT.debian, `sleep 0.5; echo ${i}; exit ${i}`)),
    );
    results.forEach((result, i) => {
      expect(result).toMatchObject({ stdout: `${i}\n`, exit_code: i, ended: 'exit' });
    });
  }, 60_000);
});

function quoteForTest(text: string): string {
  return `'${text.split("'").join(`'"'"'`)}'`;
}
