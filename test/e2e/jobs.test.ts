import { expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectToRig, uniqueSleep, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

describeNode('jobs', [], (rig) => {
  const node = useClient(rig);
  const start = async (vmid: number, command: string, more: Record<string, unknown> = {}) => {
    const result = await node.call('container_exec_command', { vmid, command, background: true, ...more });
    expect(result.isError, result.text).toBe(false);
    return { ...result, job: String(result.data.job) };
  };
  const get = (job: string, more: Record<string, unknown> = {}) => node.call('get_job', { job, ...more });
  const ended = async (job: string) => {
    for (let looks = 0; looks < 5; looks += 1) {
      const result = await get(job, { wait: 30 });
      if (result.data.state === 'ended') return result;
    }
    throw new Error('the job does not end');
  };

  for (const vmid of [CT.debian, CT.busybox]) {
    test(`a job in CT ${vmid} reports its state, then its output and exit code`, async () => {
      const { data, text, job } = await start(vmid, 'echo first; echo wrong >&2; sleep 2; echo last; exit 7');
      expect(data).toMatchObject({ state: 'running', exit_code: null, ended: null });
      expect(text).toContain(job);
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

  test('a job that ends at once is reported as an ordinary result', async () => {
    const { data } = await start(CT.debian, 'echo done; exit 3');
    expect(data).toMatchObject({ state: 'ended', exit_code: 3, stdout: 'done\n', ended: 'exit' });
  });

  test('cancels a job and all its processes', async () => {
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

  test('a job is killed at its time limit', async () => {
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

  test('lists the jobs', async () => {
    const { job } = await start(CT.debian, 'echo listed');
    const { data, text } = await node.call('list_jobs', {});
    expect(text).toContain(job);
    expect(data.jobs).toContainEqual(
      expect.objectContaining({ job, command: 'echo listed', state: 'ended' }),
    );
  });

  test('a job in a container that is stopped does not start', async () => {
    const result = await node.call('container_exec_command', {
      vmid: CT.stopped,
      command: 'true',
      background: true,
    });
    expect(result.data).toMatchObject({ code: 'CONTAINER_NOT_RUNNING' });
  });

  test('another server reads the result of a job whose server was killed', async () => {
    const first = await connectToRig(rig);
    const started = await first.callTool('proxmox_container_exec_command', {
      vmid: CT.debian,
      command: 'sleep 1; echo survived; exit 5',
      background: true,
    });
    process.kill(first.pid, 'SIGKILL');
    expect((await ended(String(started.data.job))).data).toMatchObject({
      exit_code: 5,
      stdout: 'survived\n',
    });
  });
});
