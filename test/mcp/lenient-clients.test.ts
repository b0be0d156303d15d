import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/rig.ts';
import { connectClient, serverCommand, type TestClient } from './client.ts';
import { settingsWithoutNode } from './fixtures.ts';

describe('clients that add arguments or write them differently', () => {
  const node = new SimulatedNode();
  let client: TestClient;
  beforeAll(async () => {
    await node.start();
    client = await connectClient({ env: { ...node.settings(), POLICY: 'open' } });
  });
  afterAll(async () => {
    await client.close();
    await node.stop();
  });

  const N8N = { toolCallId: 'call_1', sessionId: 'x', action: 'sendMessage', chatInput: 'hi' };

  test.each([
    ['proxmox_container_status', { vmid: CT.debian }],
    ['proxmox_list_containers', {}],
    ['proxmox_container_exec_command', { vmid: CT.debian, command: 'echo hi' }],
    ['proxmox_container_exec_command', { vmid: CT.debian, command: 'echo hi', response_format: 'json' }],
  ])('%s ignores the arguments that n8n adds, with a note', async (tool, args) => {
    const result = await client.callTool(tool, { ...args, ...N8N });
    expect(result).toMatchObject({ isError: false });
    for (const name of Object.keys(N8N)) expect(result.data.note).toContain(`\`${name}\``);
    expect(result.text).toContain('`toolCallId`');
    expect((await client.callTool(tool, args)).data).not.toHaveProperty('note');
  });

  test.each(['security_context', 'task_progress', 'wait_for_previous'])(
    'ignores %s of other clients, with a note',
    async (name) => {
      const result = await client.callTool('proxmox_container_status', { vmid: CT.debian, [name]: { a: 1 } });
      expect(result).toMatchObject({ isError: false, data: { note: expect.stringContaining(name) } });
    },
  );

  test('refuses any other unknown argument, with a suggestion', async () => {
    const args = { vmid: CT.debian, command: 'true', timeuot: 3, toolcallid: 'x', ...N8N };
    const { data } = await client.callTool('proxmox_container_exec_command', args);
    expect(data.code).toBe('INVALID_INPUT');
    expect(data.error).toContain('`timeuot` is not an argument (did you mean `timeout`?)');
    expect(data.error).toContain('`toolcallid` is not an argument');
    expect(data.error).not.toContain('chatInput');
  });

  test.each([[null], ['']])('treats an optional argument that is %j as omitted', async (empty) => {
    const exec = await client.callTool('proxmox_container_exec_command', {
      vmid: CT.debian,
      command: 'echo hi',
      timeout: empty,
      response_format: empty,
    });
    expect(exec).toMatchObject({ isError: false, data: { stdout: 'hi\n' } });
    const status = await client.callTool('proxmox_stop_container', {
      vmid: CT.stopped,
      force: empty,
      timeout: empty,
    });
    expect(status.data.code).not.toBe('INVALID_INPUT');
  });

  test('treats expect_name null as omitted, and refuses an empty one', async () => {
    const call = (name: unknown) =>
      client.callTool('proxmox_container_exec_command', {
        vmid: CT.debian,
        command: 'true',
        expect_name: name,
      });
    expect(await call(null)).toMatchObject({ isError: false });
    expect(await call('')).toMatchObject({ isError: true, data: { code: 'INVALID_INPUT' } });
    // It may be the name of a container.
    expect(await call('null')).toMatchObject({ isError: true, data: { code: 'WRONG_TARGET' } });
  });

  test('accepts a timeout as text', async () => {
    const { data } = await client.callTool('proxmox_container_exec_command', {
      vmid: String(CT.debian),
      command: 'sleep 30',
      timeout: '1',
    });
    expect(data.code).toBe('TIMEOUT');
  });

  test('reads "false" as false', async () => {
    const stop = (force: string) =>
      client.callTool('proxmox_stop_container', { vmid: CT.busybox, force, timeout: '1' });
    expect((await stop('yes')).data.code).toBe('INVALID_INPUT');
    const gentle = await stop('false');
    expect(gentle.text).not.toContain('force');
    expect(gentle.data.success).toBe(true);
  });
});

/** Sends one raw message of each kind to a server process: the SDK's clients do not send such messages. */
test.each(['2025', '2026-07-28'])('accepts null as arguments over stdio, in %s', async (era) => {
  const { command, args } = serverCommand();
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', ...(await settingsWithoutNode()) };
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const answer = async (): Promise<unknown> => JSON.parse(String((await answers.next()).value));
  const clientInfo = { name: 'by-hand', version: '1' };
  const prefix = 'io.modelcontextprotocol';
  const modern = {
    [`${prefix}/protocolVersion`]: '2026-07-28',
    [`${prefix}/clientInfo`]: clientInfo,
    [`${prefix}/clientCapabilities`]: {},
  };
  if (era === '2025') {
    send({
      id: 0,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
    });
    await answer();
    send({ method: 'notifications/initialized' });
  }
  const _meta = era === '2025' ? {} : modern;
  send({ id: 1, method: 'tools/call', params: { name: 'proxmox_list_containers', arguments: null, _meta } });
  expect(await answer()).toMatchObject({ id: 1, result: { structuredContent: { code: 'SSH_UNREACHABLE' } } });
  child.kill();
  await once(child, 'exit');
});
