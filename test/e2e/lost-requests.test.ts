import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectToRig, execResult } from './connect.ts';
import { LossyRelay } from './lossy-relay.ts';
import { describeNode } from './nodes.ts';

describeNode('a request whose connection is lost before the node has confirmed its start', [], (rig) => {
  let relay: LossyRelay;
  let client: Awaited<ReturnType<typeof connectToRig>>;
  beforeAll(async () => {
    const { HOST: host = '', SSH_PORT: port } = rig.settings();
    relay = await LossyRelay.start({ host, port: Number(port) });
    client = await connectToRig(rig, {
      env: { HOST: '127.0.0.1', SSH_PORT: String(relay.port), SSH_HOST_KEY_POLICY: 'insecure' },
    });
  });
  afterAll(async () => {
    await client.close();
    await relay.stop();
  });
  /** A file of this test in which commands leave a line for each time that they run. */
  let file = '';
  let serial = 0;
  beforeEach(async () => {
    serial += 1;
    file = `/tmp/marks-${serial}`;
    // The connection, the location of the server and the next sessions are ready.
    execResult(await exec('true'));
    await relay.calm();
  });
  afterEach(() => rig.reset());

  const exec = (command: string, more: Record<string, unknown> = {}) =>
    client.callTool('proxmox_container_exec_command', { vmid: CT.debian, command, ...more });
  const marks = async () => (await rig.inContainer(CT.debian, ['cat', file])).stdout;
  const mark = (text: string) => `echo ${text} >>${file}; echo done`;

  test('is sent again if it has not arrived', async () => {
    const lost = relay.loseRequest();
    const result = execResult(await exec(mark('unheard')));
    await lost;
    expect(result).toMatchObject({ exit_code: 0, stdout: 'done\n' });
    expect(await marks()).toBe('unheard\n');
  });

  test('never runs later, after it was sent again', async () => {
    const delayed = relay.delayRequest();
    const result = execResult(await exec(mark('delayed')));
    const deliver = await delayed;
    expect(result).toMatchObject({ exit_code: 0, stdout: 'done\n' });
    await deliver();
    expect(await marks()).toBe('delayed\n');
  });

  test('is sent again over a new connection if its own has become silent', async () => {
    relay.freeze();
    expect(execResult(await exec(mark('unheard')))).toMatchObject({ exit_code: 0, stdout: 'done\n' });
    expect(await marks()).toBe('unheard\n');
  });

  test('is sent again if it reads over a connection that has become silent', async () => {
    relay.freeze();
    const { isError, text } = await client.callTool('proxmox_cluster_status', {});
    expect(isError, text).toBe(false);
  });

  test('is not sent again if it has started, and the error says so', async () => {
    const lost = relay.loseAnswer();
    const result = await exec(mark('once'));
    await lost;
    expect(execResult(result)).toMatchObject({ isError: true, ended: 'disconnected', exit_code: null });
    expect(result.text).toContain('may still be running');
    expect(execResult(await exec('true')).exit_code).toBe(0);
    await relay.calm();
    // The loss may have ended it before the command itself ran.
    expect(['', 'once\n']).toContain(await marks());
  });

  test('starts one job', async () => {
    const jobs = async () => {
      const { data } = await client.callTool('proxmox_list_jobs', {});
      return z
        .array(z.object({ job: z.string() }))
        .parse(data.jobs)
        .map(({ job }) => job);
    };
    // Those of other tests on this rig.
    const before = await jobs();
    const lost = relay.loseRequest();
    const { data, isError, text } = await exec(mark('job'), { background: true });
    await lost;
    expect(isError, text).toBe(false);
    await until(async () => (await marks()) !== '');
    expect(await marks()).toBe('job\n');
    expect((await jobs()).filter((job) => !before.includes(job))).toEqual([data.job]);
  });

  test('never starts a second job later', async () => {
    const delayed = relay.delayRequest();
    const { isError, text } = await exec(mark('job'), { background: true });
    const deliver = await delayed;
    expect(isError, text).toBe(false);
    await deliver();
    await until(async () => (await marks()) !== '');
    expect(await marks()).toBe('job\n');
  });

  test('starts a container', async () => {
    const lost = relay.loseRequest();
    const { isError, text } = await client.callTool('proxmox_start_container', { vmid: CT.stopped });
    await lost;
    expect(isError, text).toBe(false);
    expect(rig.isRunning(CT.stopped)).toBe(true);
  });

  test('is sent again if it only reads', async () => {
    const lost = relay.loseRequest();
    const { isError, text } = await client.callTool('proxmox_cluster_status', {});
    await lost;
    expect(isError, text).toBe(false);
  });
});
