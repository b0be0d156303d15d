import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { ERAS } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectToRig, uniqueSleep, useClient } from './connect.ts';
import { jobsOf } from './jobs.ts';
import { describeNode } from './nodes.ts';

describeNode('jobs', [], (rig) => {
  const node = useClient(rig);
  const { start, get, ended } = jobsOf(node);

  for (const vmid of [CT.debian, CT.busybox]) {
    test(`a job in CT ${vmid} reports its state, then its output and exit code`, async () => {
      const file = `/tmp/may-end-${uniqueSleep()}`;
      const { data, text, job } = await start(
        vmid,
        `echo first; echo wrong >&2; until [ -e ${file} ]; do sleep 0.1; done; echo last; exit 7`,
      );
      expect(data).toMatchObject({ state: 'running', exit_code: null, ended: null });
      expect(text).toContain(job);
      await rig.writeInContainer(vmid, file, '');
      expect((await ended(job)).data).toMatchObject({
        state: 'ended',
        exit_code: 7,
        ended: 'exit',
        stdout: 'first\nlast\n',
        stderr: 'wrong\n',
        stdout_bytes: 11,
        stderr_bytes: 6,
      });
    });
  }

  test('return an ordinary result when they end at once', async () => {
    // On a busy machine a job may take longer than the call waits for it.
    await until(async () => {
      const { data } = await start(CT.debian, 'echo done; exit 3');
      if (data.state !== 'ended') return false;
      expect(data).toMatchObject({ exit_code: 3, stdout: 'done\n', ended: 'exit' });
      return true;
    });
  });

  test('are cancelled with all their processes', async () => {
    const n = uniqueSleep();
    const { job } = await start(CT.debian, `setsid sleep ${n} & sleep ${n}`);
    await until(async () => (await rig.containerProcesses(CT.debian, `sleep ${n}`)).length > 1);
    const cancelled = await node.call('cancel_job', { job });
    expect(cancelled.data, cancelled.text).toMatchObject({
      success: true,
      state: 'ended',
      ended: 'cancelled',
      survivors: [],
    });
    expect(rig.nodeProcesses(n)).toEqual([]);
    expect((await get(job)).data).toMatchObject({ ended: 'cancelled', code: 'CANCELLED' });
  });

  test('are killed at their time limit', async () => {
    const n = uniqueSleep();
    const { job } = await start(CT.debian, `trap '' TERM; setsid sleep ${n} & sleep ${n}; sleep ${n}`, {
      timeout: 1,
    });
    expect((await ended(job)).data).toMatchObject({
      ended: 'timeout',
      code: 'TIMEOUT',
      exit_code: null,
      survivors: [],
    });
    expect(rig.nodeProcesses(n)).toEqual([]);
  });

  test('are listed', async () => {
    const { job } = await start(CT.debian, 'echo listed');
    await ended(job);
    const { data, text } = await node.call('list_jobs', {});
    expect(text).toContain(job);
    expect(data.jobs).toContainEqual(
      expect.objectContaining({ job, command: 'echo listed', state: 'ended' }),
    );
  });

  test('do not start in a stopped container', async () => {
    const result = await node.call('container_exec_command', {
      vmid: CT.stopped,
      command: 'true',
      background: true,
    });
    expect(result.data).toMatchObject({ code: 'CONTAINER_NOT_RUNNING' });
  });

  test('return output in pages of bytes, without splitting a character or a secret', async () => {
    const secret = 'ghp_012345678901234567890123456789012345';
    const line = `äöü€😀 token ${secret} end\\n`;
    const { job } = await start(CT.debian, `i=0; while [ $i -lt 20 ]; do printf '${line}'; i=$((i+1)); done`);
    await ended(job);
    const client = await connectToRig(rig, { env: { CHARACTER_LIMIT: '100' } });
    try {
      let [offset, text] = [0, ''];
      for (let pages = 0; pages < 100; pages += 1) {
        const { data } = await client.callTool('proxmox_get_job', { job, offset });
        expect(data.offset).toBe(offset);
        text += String(data.stdout);
        offset = Number(data.next_offset);
        if (data.remaining_bytes === 0) break;
      }
      expect(offset).toBe(Buffer.byteLength(line.replace('\\n', '\n')) * 20);
      expect(text).not.toContain('\ufffd');
      expect(text).not.toMatch(/ghp_|0123456789/);
      expect(text.match(/^äöü€😀 token \[redacted: [^\]]+\] end$/gm)).toHaveLength(20);
    } finally {
      await client.close();
    }
  });

  test('return matching lines, and the end of the output', async () => {
    const { job } = await start(
      CT.debian,
      'i=0; while [ $i -lt 500 ]; do echo "line $i"; i=$((i+1)); done; echo "An ERROR here"; echo last',
    );
    await ended(job);
    expect((await get(job, { match: 'error' })).data).toMatchObject({ stdout: 'An ERROR here\n' });
    expect((await get(job, { tail: 5 })).data).toMatchObject({ stdout: 'last\n', truncated: true });
    expect((await get(job, { tail: 5, stream: 'stdout' })).data).toMatchObject({
      stdout: 'last\n',
      remaining_bytes: 0,
    });
    expect((await get(job, { stream: 'stderr', offset: 0 })).data).toMatchObject({
      stderr: '',
      remaining_bytes: 0,
    });
  });

  test('return both streams, and the size of the other where one is selected', async () => {
    const { job } = await start(CT.debian, 'echo one; echo two; echo "error: three" >&2; echo four >&2');
    await ended(job);
    const ends = await get(job, { tail: 5 });
    expect(ends.data).toMatchObject({ stdout: '\ntwo\n', stderr: 'four\n', truncated: true });
    expect(ends.text).toContain('STDOUT (bytes 3 to 8)');
    expect(ends.text).toContain('STDERR (bytes 13 to 18)');
    expect((await get(job, { tail: 500 })).data).toMatchObject({
      stdout: 'one\ntwo\n',
      stderr: 'error: three\nfour\n',
      truncated: false,
    });
    expect((await get(job, { match: 'o' })).data).toMatchObject({
      stdout: 'one\ntwo\n',
      stderr: 'error: three\nfour\n',
      truncated: false,
    });
    for (const part of [{ tail: 5, stream: 'stdout' }, { match: 'two', stream: 'stdout' }, { offset: 0 }]) {
      const { data, text } = await get(job, part);
      expect(data).not.toHaveProperty('stderr');
      expect(text).toContain('stderr has 18 bytes.');
    }
    expect((await get(job, { tail: 5, stream: 'stderr' })).text).toContain('stdout has 8 bytes.');
  });

  test('divide the limit between both streams', async () => {
    const { job } = await start(
      CT.debian,
      'printf %0150d 0; printf %0150d 1 >&2; printf "\\nout end\\n"; printf "\\nerr\\n" >&2',
    );
    await ended(job);
    const client = await connectToRig(rig, { env: { CHARACTER_LIMIT: '100' } });
    try {
      const { data } = await client.callTool('proxmox_get_job', { job, tail: 1000 });
      expect(String(data.stdout)).toMatch(/^0{66}\nout end\n$/);
      expect(String(data.stderr)).toMatch(/^0{19}1\nerr\n$/);
      const matched = await client.callTool('proxmox_get_job', { job, match: 'E' });
      expect(matched.data).toMatchObject({ stdout: 'out end\n', stderr: 'err\n', truncated: false });
    } finally {
      await client.close();
    }
  });

  test.each([{}, { offset: 2 }])('wait for the end, whatever they print meanwhile: %j', async (more) => {
    const { job } = await start(CT.debian, 'for i in 1 2 3 4; do echo $i; sleep 1; done');
    const stdout = '1\n2\n3\n4\n'.slice(more.offset ?? 0);
    expect((await get(job, { wait: 40, ...more })).data).toMatchObject({ state: 'ended', stdout });
  });

  test('wait for no more than a page of output beyond an offset', async () => {
    const client = await connectToRig(rig, { env: { CHARACTER_LIMIT: '100' } });
    try {
      const { job } = await start(CT.debian, 'sleep 1; printf %0300d 0; echo; sleep 60');
      const { data } = await client.callTool('proxmox_get_job', { job, offset: 50, wait: 40 });
      expect(data).toMatchObject({ state: 'running', offset: 50, next_offset: 150 });
      await node.call('cancel_job', { job });
    } finally {
      await client.close();
    }
  });

  test('say that the call waited less than requested', async () => {
    const client = await connectToRig(rig, { env: { WAIT_LIMIT: '5s' } });
    try {
      const { job } = await start(CT.debian, 'sleep 60');
      const { data, text } = await client.callTool('proxmox_get_job', { job, wait: 40 });
      expect(data).toMatchObject({ state: 'running', note: expect.stringContaining('at most 5 s') });
      expect(text).toContain('Call again');
      await node.call('cancel_job', { job });
    } finally {
      await client.close();
    }
  });

  describe('several in one call', () => {
    const getAll = (jobs: readonly string[], more: Record<string, unknown> = {}) =>
      node.call('get_job', { jobs, ...more });
    const rowsOf = (data: unknown) =>
      z.object({ jobs: z.array(z.record(z.string(), z.unknown())) }).parse(data).jobs;

    test('are waited for until all have ended, with a row for each in the given order', async () => {
      const commands = {
        [CT.debian]: 'echo "in a"; sleep 2; echo end; exit 4',
        [CT.busybox]: 'sleep 1; echo "in b" >&2',
        [CT.locked]: 'sleep 600',
      };
      const { data: started } = await node.call('exec_in_containers', {
        commands,
        background: true,
        timeout: 6,
      });
      const ids = z
        .array(z.object({ job: z.string() }))
        .parse(started.containers)
        .map(({ job }) => job);
      const [a = '', b = '', c = ''] = ids;
      const { data, text } = await getAll([c, a, 'aaaaaaaaaaaaaaaa', b, a], { wait: 40 });
      expect(rowsOf(data)).toMatchObject([
        {
          job: c,
          state: 'ended',
          ended: 'timeout',
          target: `container ${CT.locked}`,
          code: 'TIMEOUT',
          survivors: [],
        },
        { job: a, exit_code: 4, stdout: 'in a\nend\n', target: `container ${CT.debian}` },
        { job: 'aaaaaaaaaaaaaaaa', code: 'JOB_NOT_FOUND' },
        { job: b, exit_code: 0, stdout: '', stderr: 'in b\n' },
      ]);
      expect(text).toMatch(
        new RegExp(`Job ${b} in container ${CT.busybox} ended after \\S+ s with exit code 0: STDERR "in b"`),
      );
      expect(text).toContain('None of its processes is left.');
      expect(text).toContain('JOB_NOT_FOUND: ');
      const listed = await node.call('list_jobs', {});
      const commandsOf = z
        .object({ jobs: z.array(z.object({ job: z.string(), command: z.string() })) })
        .parse(listed.data);
      expect(
        commandsOf.jobs
          .filter(({ job }) => ids.includes(job))
          .map(({ command }) => command)
          .sort(),
      ).toEqual(Object.values(commands).sort());
    });

    test('get a fair share of the output each', async () => {
      const [long, longer, short] = await Promise.all(
        ['seq 1000', 'seq 3000', 'echo short'].map((command) => start(CT.debian, command)),
      );
      const ids = [long, longer, short].map((each) => each?.job ?? '');
      await Promise.all(ids.map(ended));
      const byDefault = rowsOf((await getAll(ids)).data).map(({ stdout }) => String(stdout));
      expect(byDefault[0]).toMatch(/omitted[\s\S]*\n1000\n$/);
      expect(byDefault[1]).toMatch(/\n3000\n$/);
      for (const stdout of byDefault) expect(stdout.length).toBeLessThanOrEqual(600);
      const client = await connectToRig(rig, { env: { CHARACTER_LIMIT: '1000' } });
      try {
        const { data } = await client.callTool('proxmox_get_job', { jobs: ids, tail: 5000 });
        const lengths = rowsOf(data).map(({ stdout }) => String(stdout).length);
        expect(lengths[2]).toBe(6);
        expect(lengths[0]).toBeGreaterThan(480);
        expect(lengths[1]).toBeGreaterThan(480);
        expect((lengths[0] ?? 0) + (lengths[1] ?? 0)).toBeLessThanOrEqual(994);
        const matched = await client.callTool('proxmox_get_job', { jobs: ids, match: 'o' });
        expect(rowsOf(matched.data).map(({ stdout }) => stdout)).toEqual(['', '', 'short\n']);
      } finally {
        await client.close();
      }
    });

    test('are an error if none can be read, and exclude one job and an offset', async () => {
      const unknown = await getAll(['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb']);
      expect(unknown).toMatchObject({ isError: true, data: { code: 'JOB_NOT_FOUND' } });
      const one = 'aaaaaaaaaaaaaaaa';
      for (const args of [
        {},
        { job: one, jobs: [one] },
        { jobs: [one], offset: 1 },
        { jobs: [] },
        { jobs: ['../x'] },
      ])
        expect((await node.call('get_job', args)).data).toMatchObject({ code: 'INVALID_INPUT' });
    });

    test('say that the call waited less than requested', async () => {
      const client = await connectToRig(rig, { env: { WAIT_LIMIT: '5s' } });
      try {
        const [{ job }, done] = await Promise.all([start(CT.debian, 'sleep 60'), start(CT.busybox, 'true')]);
        const { data, text } = await client.callTool('proxmox_get_job', { jobs: [job, done.job], wait: 40 });
        expect(rowsOf(data)).toMatchObject([{ state: 'running' }, { state: 'ended', exit_code: 0 }]);
        expect(data.note).toContain('at most 5 s');
        expect(text).toContain('Call again');
        await node.call('cancel_job', { job });
      } finally {
        await client.close();
      }
    });
  });

  test('return the end of a long output by default, and more with tail', async () => {
    const { job } = await start(CT.debian, 'seq 500; seq 300 >&2');
    await ended(job);
    const { data } = await get(job);
    const [stdout, stderr] = [String(data.stdout), String(data.stderr)];
    expect(data.truncated).toBe(true);
    expect(stdout).toMatch(/\n499\n500\n$/);
    expect(stderr).toMatch(/\n299\n300\n$/);
    expect(stdout.length + stderr.length).toBeLessThanOrEqual(600);
    expect((await get(job, { tail: 20_000 })).data).toMatchObject({ truncated: false });
    const alone = await get(job, { stream: 'stderr' });
    expect(alone.data).not.toHaveProperty('stdout');
    expect(String(alone.data.stderr)).toMatch(/\n299\n300\n$/);
  });

  test('cause an error for an unknown ID', async () => {
    const result = await get('aaaaaaaaaaaaaaaa');
    expect(result.data).toMatchObject({ code: 'JOB_NOT_FOUND' });
    expect((await get('../../etc')).data).toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('are required for a timeout over 300 s', async () => {
    const args = { vmid: CT.debian, command: 'true', timeout: 301 };
    const result = await node.call('container_exec_command', args);
    expect(result.data).toMatchObject({
      code: 'INVALID_INPUT',
      suggestion: expect.stringContaining('`background`'),
    });
    const { job } = await start(CT.debian, 'true', { timeout: 301 });
    expect((await ended(job)).data).toMatchObject({ exit_code: 0 });
  });

  test.concurrent('continue a call that exceeds WAIT_LIMIT, which is answered in time', async () => {
    const client = await connectToRig(rig, { env: { WAIT_LIMIT: '5s' } });
    try {
      const run = (command: string, timeout: number) =>
        client.callTool('proxmox_container_exec_command', { vmid: CT.debian, command, timeout });
      const [short, long, plain] = await Promise.all([
        run('echo short; exit 4', 60),
        run('echo begun; sleep 8; echo over; exit 6', 60),
        run('echo plain', 5),
      ]);
      expect(short.data).toMatchObject({ exit_code: 4, stdout: 'short\n', ended: 'exit' });
      expect(long.data).toMatchObject({ state: 'running', exit_code: null, stdout: 'begun\n' });
      expect(plain.data.job).toBeUndefined();
      expect((await ended(String(long.data.job))).data).toMatchObject({
        exit_code: 6,
        stdout: 'begun\nover\n',
      });
    } finally {
      await client.close();
    }
  });

  test.concurrent('are refused without the tools that read them, and WAIT_LIMIT then starts none', async () => {
    const client = await connectToRig(rig, { env: { WAIT_LIMIT: '5s', TOOLSETS: 'core,fleet' } });
    try {
      const args = { command: 'echo begun; sleep 6; echo over', timeout: 60 };
      const run = client.callTool('proxmox_container_exec_command', { vmid: CT.debian, ...args });
      for (const [tool, target] of [
        ['proxmox_container_exec_command', { vmid: CT.debian }],
        ['proxmox_exec_in_containers', { vmids: [CT.debian] }],
      ] as const) {
        const { data } = await client.callTool(tool, { ...args, ...target, background: true });
        expect(data).toMatchObject({
          code: 'TOOL_DISABLED',
          suggestion: expect.stringContaining('without background'),
        });
      }
      const { data } = await run;
      expect(data).toMatchObject({ exit_code: 0, stdout: 'begun\nover\n', ended: 'exit' });
      expect(data.job).toBeUndefined();
    } finally {
      await client.close();
    }
  });

  test('start in each of several containers', async () => {
    const vmids = [CT.debian, CT.busybox, CT.stopped];
    const file = `/tmp/may-end-${uniqueSleep()}`;
    const command = `echo "in $(hostname)"; until [ -e ${file} ]; do sleep 0.1; done; exit 4`;
    const args = { vmids, command, background: true, timeout: 400 };
    const { data, text } = await node.call('exec_in_containers', args);
    const rows = z
      .array(z.object({ vmid: z.number(), status: z.string(), job: z.string().optional() }))
      .parse(data.containers);
    expect(rows.map(({ status }) => status)).toEqual(['started', 'started', 'skipped']);
    for (const { job, vmid } of rows) {
      if (job === undefined) continue;
      await rig.writeInContainer(vmid, file, '');
      expect(text).toContain(`${job}`);
      expect((await ended(job)).data).toMatchObject({ exit_code: 4, target: `container ${vmid}` });
    }
    const refused = await node.call('exec_in_containers', { ...args, canary: true });
    expect(refused.data).toMatchObject({ code: 'INVALID_INPUT' });
  });

  // Each waits many seconds, with a server of its own.
  test.concurrent.each(ERAS)(
    'progress of a call contains the last line of the output (%s)',
    async (era) => {
      const client = await connectToRig(rig, { era, env: { WAIT_LIMIT: '20s' } });
      try {
        for (const timeout of [10, 60]) {
          const notes: string[] = [];
          const args = { vmid: CT.debian, command: 'echo first; echo Unpacking nginx; sleep 4', timeout };
          await client.callTool('proxmox_container_exec_command', args, {
            onProgress: ({ message = '' }) => notes.push(message),
          });
          expect(
            notes.some((note) => note.endsWith(': Unpacking nginx')),
            notes.join('; '),
          ).toBe(true);
        }
      } finally {
        await client.close();
      }
    },
    120_000,
  );

  test('are readable by another server after their server was killed', async () => {
    const first = await connectToRig(rig);
    const started = await first.callTool('proxmox_container_exec_command', {
      vmid: CT.debian,
      command: 'sleep 1; echo survived; exit 5',
      background: true,
    });
    process.kill(first.pid, 'SIGKILL');
    await first.close();
    expect((await ended(String(started.data.job))).data).toMatchObject({
      exit_code: 5,
      stdout: 'survived\n',
    });
  });
});
