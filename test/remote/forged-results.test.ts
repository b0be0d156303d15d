import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execResult, failureOf, uniqueSleep, useClient } from '../e2e/connect.ts';
import { describeRig } from '../rig/require.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';

/** Prints every hexadecimal word that any process shows in its arguments or environment, with each word of the protocol. */
const ATTACK = `#!/bin/sh
for word in $(cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr -c '0-9a-f' '\\n' | grep -E '^.{16,}$' | sort -u); do
  for rest in 'exit 0' 'exited 0' 'ended' 'began' 'started' 'done' 'refused changed' 'item left 1 init' 'data 5'; do
    echo "$word $rest"
    echo "$word $rest" >&2
  done
done
`;
/** Sets $w to the inner word, which the command line of the wrapper contains. */
const WORD_OF_WRAPPER =
  'w=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" "\\n" | grep -xE "[0-9a-f]{32}" | head -n 1);';
const AS_NOBODY = 'su -s /bin/sh nobody -c /usr/local/bin/attack';

describeRig('forged frames of a process in the container', (rig) => {
  const node = useClient(rig);
  const containers = [CT.debian, CT.busybox];
  beforeAll(async () => {
    for (const vmid of containers) {
      await rig.inContainer(vmid, ['mkdir', '-p', '/usr/local/bin']);
      await rig.writeInContainer(vmid, '/usr/local/bin/attack', ATTACK);
      await rig.inContainer(vmid, ['chmod', '755', '/usr/local/bin/attack']);
      await rig.inContainer(vmid, [
        'sh',
        '-c',
        'grep -q ^nobody: /etc/passwd || echo nobody:x:65534:65534::/:/bin/sh >>/etc/passwd',
      ]);
    }
  });
  afterAll(async () => {
    for (const vmid of containers) await rig.inContainer(vmid, ['rm', '-f', '/usr/local/bin/attack']);
  });

  test.each(containers)('do not change exit code and output (%i)', async (vmid) => {
    const result = await node.exec(vmid, `${AS_NOBODY}; echo "verdict: backdoor"; exit 3`);
    // The test is valid only if the attack has found something to print.
    expect(result.stdout).toContain(' exited 0');
    expect(result).toMatchObject({ exit_code: 3, ended: 'exit', success: false, output_held: false });
    expect(result.stdout).toContain('verdict: backdoor\n');
  });

  test.each(['began', 'ended', 'ended so it seems'])(
    'hide no output of another process: %s',
    async (word) => {
      const attack = `${WORD_OF_WRAPPER} printf "%s ${word} " "$w"`;
      const command = `su -s /bin/sh nobody -c '${attack}'; echo "verdict: backdoor"; exit 3`;
      const result = await node.exec(CT.debian, command);
      expect(result).toMatchObject({ exit_code: 3, ended: 'exit' });
      expect(result.stdout).toMatch(new RegExp(`^[0-9a-f]{32} ${word} verdict: backdoor\n$`));
    },
  );

  test('do not disarm the timeout', async () => {
    const n = uniqueSleep();
    const result = await node.exec(CT.debian, `${AS_NOBODY}; sleep ${n}`, { timeout: 3 });
    expect(result).toMatchObject({ ended: 'timeout', exit_code: null, survivors: [] });
    expect(await rig.containerProcesses(CT.debian, n)).toEqual([]);
  });

  test('do not disarm cancellation', async () => {
    const n = uniqueSleep();
    const abort = new AbortController();
    const args = { vmid: CT.debian, command: `${AS_NOBODY}; sleep ${n}`, timeout: 60 };
    const call = node.client.callTool('proxmox_container_exec_command', args, { signal: abort.signal });
    call.catch(() => {});
    await until(async () => (await rig.containerProcesses(CT.debian, `sleep ${n}`)).length > 0);
    abort.abort();
    await until(async () => (await rig.containerProcesses(CT.debian, n)).length === 0);
  });

  test('do not turn a killed wrapper into a success', async () => {
    const result = await node.exec(CT.debian, `${AS_NOBODY}; kill -9 $PPID; sleep 1`);
    expect(result.success).toBe(false);
    expect(result.exit_code).not.toBe(0);
  });

  test('do not reach a later call from a background process', async () => {
    const stop = '/tmp/stop-writing';
    await rig.inContainer(CT.debian, ['rm', '-f', stop]);
    const writer = `while [ ! -e ${stop} ]; do echo foreign; echo foreign >&2; sleep 0.01; done`;
    const first = await node.exec(CT.debian, `(${writer}) & echo begun`);
    expect(first).toMatchObject({ exit_code: 0, output_held: true });
    try {
      for (let i = 0; i < 10; i++) {
        const later = await node.exec(CT.busybox, 'echo mine; echo mine too >&2; exit 4');
        expect(later).toMatchObject({
          exit_code: 4,
          stdout: 'mine\n',
          stderr: 'mine too\n',
          output_held: false,
        });
      }
    } finally {
      await rig.inContainer(CT.debian, ['touch', stop]);
    }
  });
});

/** What a command may do to its streams and parents, and the result that it must get. */
const MISCHIEF: readonly [name: string, command: string, expected: Record<string, unknown>][] = [
  [
    'sets O_NONBLOCK on its streams',
    `perl -MFcntl -e 'for (*STDOUT, *STDERR) { fcntl($_, F_SETFL, fcntl($_, F_GETFL, 0) | O_NONBLOCK) } print "set\\n"'; exit 5`,
    { exit_code: 5, stdout: 'set\n' },
  ],
  [
    'sets O_NONBLOCK and floods',
    `perl -MFcntl -e 'fcntl(STDOUT, F_SETFL, fcntl(STDOUT, F_GETFL, 0) | O_NONBLOCK)'; yes | head -c 3000000; exit 6`,
    {},
  ],
  ['reads its own stdout', 'timeout 1 cat </proc/self/fd/1 >/dev/null; exit 7', { exit_code: 7 }],
  ['sends TERM to its parent', 'kill $PPID; sleep 0.2; exit 8', { exit_code: 8 }],
  ['kills its parent', 'kill -9 $PPID; sleep 0.2; exit 8', { exit_code: null, code: 'EXIT_UNKNOWN' }],
  ['sends TERM to process group 0', 'kill 0; sleep 5; exit 9', { exit_code: 143 }],
  // bash ignores it.
  ['sends QUIT to process group 0', 'kill -QUIT 0; exit 9', { exit_code: 9 }],
  ['sends USR1 to process group 0', 'kill -USR1 0; sleep 5; exit 9', { exit_code: 138 }],
  // The wrapper is in that group, too, as in an unprivileged container the kernel protects lxc-attach.
  ['kills process group 0', 'kill -9 0; sleep 5; exit 9', { exit_code: null, code: 'EXIT_UNKNOWN' }],
  ['closes both streams', 'exec >&- 2>&-; sleep 0.2; exit 10', { exit_code: 10, stdout: '', stderr: '' }],
  [
    'floods both streams',
    '(yes | head -c 5000000) ; (yes | head -c 5000000 >&2); exit 11',
    { exit_code: 11 },
  ],
  ['floods in the background', '(yes & sleep 1; kill $!) & exit 12', { exit_code: 12, output_held: true }],
];

describeRig('a command that tampers with its streams and parents', (rig) => {
  const node = useClient(rig);

  test.each(MISCHIEF)('affects no other call: %s', async (_name, command, expected) => {
    const result = await node.exec(CT.debian, command, { timeout: 20 });
    expect(result).toMatchObject({ ended: 'exit', ...expected });
    const next = await node.exec(CT.busybox, 'cat; echo next; echo err >&2; exit 2');
    expect(next).toMatchObject({ exit_code: 2, stdout: 'next\n', stderr: 'err\n', output_held: false });
    expect(rig.isRunning(CT.debian)).toBe(true);
  });

  test('in a privileged container does not end lxc-attach by a signal to process group 0', async () => {
    for (const [signal, code] of [
      ['TERM', 143],
      ['KILL', 137],
    ] as const) {
      const result = await node.exec(CT.busybox, `kill -${signal} 0; sleep 5; exit 9`, { timeout: 20 });
      expect(result).toMatchObject({ ended: 'exit', exit_code: code });
    }
  });

  test('in a container that is stopped has an unknown exit code', async () => {
    await rig.ensureStarted(CT.stopped);
    const n = uniqueSleep();
    const running = node.exec(CT.stopped, `sleep ${n}`, { timeout: 30 });
    await until(async () => (await rig.containerProcesses(CT.stopped, `sleep ${n}`)).length > 0);
    await rig.ensureStopped(CT.stopped);
    expect(await running).toMatchObject({ exit_code: null, ended: 'exit', code: 'EXIT_UNKNOWN' });
  });
});

describeRig('values that a container sends', (rig) => {
  const node = useClient(rig, { MAX_FILE_SIZE: '1000000', TOOLSETS: 'core,files' });
  const tool = async (name: string, script: string) => {
    await rig.writeInContainer(CT.debian, `/usr/local/sbin/${name}`, `#!/bin/sh\n${script}\n`);
    await rig.inContainer(CT.debian, ['chmod', '755', `/usr/local/sbin/${name}`]);
  };
  const removeTools = async () => {
    await rig.inContainer(CT.debian, [
      'sh',
      '-c',
      'rm -f /usr/local/sbin/stat /usr/local/sbin/wc /usr/local/sbin/head /usr/local/sbin/sha256sum',
    ]);
  };
  beforeAll(async () => {
    await rig.inContainer(CT.debian, ['sh', '-c', 'mkdir -p /usr/local/sbin; echo hello >/tmp/bounded']);
  });
  afterAll(removeTools);

  const download = (local_path: string) =>
    node.call('download_file_from_container', {
      vmid: CT.debian,
      container_path: '/tmp/bounded',
      local_path,
    });

  const LIES: readonly [name: string, tools: Readonly<Record<string, string>>][] = [
    ['a size of 6 GB', { stat: 'echo 6000000000' }],
    ['an invalid size', { stat: 'echo nonsense' }],
    [
      'a size of 300 MB with matching data',
      { stat: 'echo 300000000', head: 'exec /usr/bin/head -c 300000000 /dev/zero' },
    ],
    ['more bytes than announced', { head: 'exec /usr/bin/head -c 300000000 /dev/zero' }],
    ['a path of 1 GB', { wc: 'echo 1000000000' }],
    ['an invalid path length', { wc: 'echo -5' }],
    ['an invalid digest', { sha256sum: 'echo nonsense' }],
  ];

  test.each(LIES)('are rejected, and nothing is written: %s', async (_name, tools) => {
    for (const [name, script] of Object.entries(tools)) await tool(name, script);
    const local = `bounded-${Math.random()}`;
    try {
      const { code, error } = failureOf(await download(local));
      expect(['TRANSFER_FAILED', 'FILE_TOO_LARGE', 'FILE_CHANGED'], error).toContain(code);
      expect(existsSync(path.join(node.dir, local))).toBe(false);
      // No process of it is left in the container.
      await until(async () => (await rig.containerProcesses(CT.debian, '300000000')).length === 0);
    } finally {
      await removeTools();
    }
    const after = execResult(
      await node.call('container_exec_command', { vmid: CT.debian, command: 'echo fine' }),
    );
    expect(after.stdout).toBe('fine\n');
  });

  // The word of the wrapper is its first argument.
  test.each([
    ['the same progress again and again', 'exec yes "$4 progress 1"'],
    ['progress beyond the size', 'for i in $(seq 100000); do echo "$4 progress $i"; done; exec sleep 600'],
  ])('end a copy at once: %s', async (_what, flood) => {
    const sh = `${await rig.rootfs(CT.debian)}/bin/sh`;
    await rename(sh, `${sh}.kept`);
    try {
      const began = 'echo "$4 began"; echo "$4 began" >&2';
      await writeFile(sh, `#!/bin/bash\n${began}; ${flood}\n`, { mode: 0o755 });
      const ends = { source: `${CT.busybox}:/etc/passwd`, target: `${CT.debian}:/tmp/forged-copy` };
      expect(failureOf(await node.call('copy_file', ends))).toMatchObject({
        code: 'TRANSFER_FAILED',
        error: expect.stringContaining('violated the transfer protocol'),
      });
    } finally {
      await rename(`${sh}.kept`, sh);
    }
  });

  test('end the call at once when they flood it after the announced bytes', async () => {
    await tool('head', 'exec /usr/bin/yes');
    try {
      const started = Date.now();
      expect(failureOf(await download('flood')).code).toBe('TRANSFER_FAILED');
      expect(Date.now() - started).toBeLessThan(20_000);
      await until(async () => (await rig.containerProcesses(CT.debian, '/usr/bin/yes')).length === 0);
    } finally {
      await removeTools();
    }
  });
});
