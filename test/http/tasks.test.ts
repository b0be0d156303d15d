import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { uniqueSleep } from '../e2e/connect.ts';
import { describeNode } from '../e2e/nodes.ts';
import { CT } from '../rig/rig.ts';
import { modern } from './requests.ts';
import { HttpServer } from './server.ts';

const ALICE = 'the-token-of-alice-who-starts-jobs-0123';
const BOB = 'the-token-of-bob-who-looks-for-them-4567';
const TASKS = {
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
};

const started = z.object({ structuredContent: z.object({ job: z.string() }) });

type Answer = {
  readonly result?: Record<string, unknown>;
  readonly error?: { code: number; data?: unknown };
};

describeNode('jobs as MCP tasks over HTTP', [], (rig) => {
  let server: HttpServer;
  beforeAll(async () => {
    server = await HttpServer.start({
      env: { ...rig.settings(), HTTP_TOKENS: `alice write ${ALICE}\nbob write ${BOB}\n`, WAIT_LIMIT: '10s' },
    });
  });
  afterAll(() => server.stop());

  const request = async (
    method: string,
    params: Record<string, unknown>,
    { token = ALICE, meta = TASKS as Record<string, unknown> } = {},
  ): Promise<Answer> => {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
    if (typeof params.taskId === 'string') headers['Mcp-Name'] = params.taskId;
    const response = await fetch(server.url, modern(method, params, headers, meta));
    const text = await response.text();
    const [line] = text.split('\n').filter((each) => each.startsWith('data: ') && each.includes('"id"'));
    return JSON.parse(line?.slice('data: '.length) ?? text) as Answer;
  };
  const call = (args: Record<string, unknown>, options?: Parameters<typeof request>[2]) =>
    request(
      'tools/call',
      { name: 'proxmox_container_exec_command', arguments: { vmid: CT.debian, ...args } },
      options,
    );
  const state = (taskId: unknown, options?: Parameters<typeof request>[2]) =>
    request('tasks/get', { taskId }, options);
  const ended = async (taskId: unknown) => {
    for (let polls = 0; polls < 100; polls += 1) {
      const { result } = await state(taskId);
      if (result?.status !== 'working') return result;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    throw new Error('the task does not end');
  };

  test('represent a job as a task from its start to its result', async () => {
    const file = `/tmp/may-end-${uniqueSleep()}`;
    const { result } = await call({
      command: `echo begun; until [ -e ${file} ]; do sleep 0.1; done; echo over; exit 3`,
      background: true,
      timeout: 600,
    });
    expect(result).toMatchObject({
      resultType: 'task',
      status: 'working',
      ttlMs: 87_000_000,
      pollIntervalMs: 2000,
    });
    expect(result).not.toHaveProperty('structuredContent');
    expect(JSON.stringify(result?.content ?? [])).toBe('[]');
    const { result: first } = await state(result?.taskId);
    expect(first).toMatchObject({
      resultType: 'complete',
      status: 'working',
      statusMessage: expect.stringContaining('running'),
    });
    await rig.writeInContainer(CT.debian, file, '');
    expect(await ended(result?.taskId)).toMatchObject({
      resultType: 'complete',
      taskId: result?.taskId,
      status: 'completed',
      result: { structuredContent: { exit_code: 3, stdout: 'begun\nover\n', ended: 'exit' } },
    });
    expect(
      (await request('tasks/update', { taskId: result?.taskId, inputResponses: {} })).result,
    ).toMatchObject({ resultType: 'complete' });
  });

  test('return an ordinary result for a short call, and a task after WAIT_LIMIT', async () => {
    expect((await call({ command: 'exit 4' })).result).toMatchObject({ structuredContent: { exit_code: 4 } });
    const { result } = await call({ command: 'sleep 12; exit 5', timeout: 60 });
    expect(result).toMatchObject({ resultType: 'task', status: 'working' });
    expect(await ended(result?.taskId)).toMatchObject({
      status: 'completed',
      result: { structuredContent: { exit_code: 5 } },
    });
  });

  test('are replaced by a job ID for a client that has not declared the extension', async () => {
    const plain = { meta: {} };
    const { result } = await call({ command: 'sleep 30', background: true }, plain);
    expect(result).toMatchObject({ structuredContent: { state: 'running', job: expect.any(String) } });
    expect(result?.resultType).not.toBe('task');
    const {
      structuredContent: { job },
    } = started.parse(result);
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const { error } = await request(method, { taskId: job, inputResponses: {} }, plain);
      expect(error).toMatchObject({
        code: -32021,
        data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
      });
    }
    await request('tasks/cancel', { taskId: job });
  });

  test('are cancelled with all processes', async () => {
    const n = uniqueSleep();
    const { result } = await call({ command: `setsid sleep ${n} & sleep ${n}`, background: true });
    expect((await request('tasks/cancel', { taskId: result?.taskId })).result).toMatchObject({
      resultType: 'complete',
    });
    expect(rig.nodeProcesses(n)).toEqual([]);
    expect((await state(result?.taskId)).result).toMatchObject({ status: 'cancelled' });
  });

  test('do not exist for other callers', async () => {
    const { result } = await call({ command: 'echo private; sleep 30', background: true });
    const unknown = await state('aaaaaaaaaaaaaaaa');
    expect(unknown.error).toMatchObject({ code: -32602 });
    const bob = { token: BOB };
    expect((await state(result?.taskId, bob)).error).toEqual(unknown.error);
    expect((await request('tasks/cancel', { taskId: result?.taskId }, bob)).error).toEqual(unknown.error);
    for (const [name, args] of [
      ['proxmox_get_job', { job: result?.taskId }],
      ['proxmox_cancel_job', { job: result?.taskId }],
    ] as const) {
      const answer = await request('tools/call', { name, arguments: args }, bob);
      expect(answer.result).toMatchObject({ structuredContent: { code: 'JOB_NOT_FOUND' } });
    }
    const { result: listed } = await request('tools/call', { name: 'proxmox_list_jobs', arguments: {} }, bob);
    expect(JSON.stringify(listed)).not.toContain(String(result?.taskId));
    expect((await state(result?.taskId)).result).toMatchObject({ status: 'working' });
    await request('tasks/cancel', { taskId: result?.taskId });
  });
});
