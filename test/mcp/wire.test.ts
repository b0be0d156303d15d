import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { serverCommand } from './client.ts';
import { settingsWithoutNode, silentNode } from './fixtures.ts';

/** What clients do not show: the raw lines on stdout, and how the process ends. */
let child: ChildProcessWithoutNullStreams;
let cwd: string;
let lines: string[];
let waiting: (() => void)[];

beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'mcp-wire-'));
});

async function start(settings: Record<string, string> = {}): Promise<void> {
  lines = [];
  waiting = [];
  const { command, args } = serverCommand();
  const env = { PATH: process.env.PATH, HOME: cwd, ...(await settingsWithoutNode()), ...settings };
  child = spawn(command, args, { cwd, env, stdio: 'pipe' });
  child.stderr.resume();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const wake of waiting.splice(0)) wake();
  });
}

afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(cwd, { recursive: true, force: true });
});

function write(message: unknown): void {
  child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
}

const responseShape = z.looseObject({ jsonrpc: z.literal('2.0'), id: z.number() });

async function answerTo(id: number) {
  for (;;) {
    for (const line of lines) {
      const parsed = responseShape.safeParse(JSON.parse(line));
      if (parsed.success && parsed.data.id === id) return parsed.data;
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

async function initialize(): Promise<void> {
  const params = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'wire', version: '1' },
  };
  write({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
  await answerTo(1);
  write({ jsonrpc: '2.0', method: 'notifications/initialized' });
}

async function ended(withinMs: number): Promise<number | null> {
  const exit = once(child, 'exit');
  const overdue = new AbortController();
  setTimeout(withinMs, undefined, { signal: overdue.signal }).then(
    () => child.kill('SIGKILL'),
    () => {},
  );
  const [code] = await exit;
  overdue.abort();
  return typeof code === 'number' ? code : null;
}

test('writes only JSON-RPC to stdout, whatever the input', async () => {
  await start();
  await initialize();
  write('this is not JSON');
  write('{"jsonrpc":"2.0"');
  write({ jsonrpc: '2.0', id: 2, method: 'no/such/method' });
  write({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'proxmox_list_containers' } });
  write({ jsonrpc: '2.0', id: 4, method: 'tools/call', params: { name: 'nope' } });
  write({ jsonrpc: '2.0', id: 5, method: 'tools/list' });
  expect(await answerTo(2)).toMatchObject({ error: { code: -32601 } });
  expect(await answerTo(3)).toMatchObject({ result: { isError: true } });
  expect(await answerTo(4)).toMatchObject({ error: { code: -32602 } });
  expect(await answerTo(5)).toMatchObject({ result: { tools: expect.any(Array) } });
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
});

test('answers a modern client without a handshake', async () => {
  await start();
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'wire', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  write({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta } });
  expect(await answerTo(1)).toMatchObject({
    result: { tools: expect.any(Array), ttlMs: 3_600_000, cacheScope: 'private' },
  });
});

test('ends when stdin ends', async () => {
  await start();
  await initialize();
  const end = ended(4500);
  child.stdin.end();
  expect(await end).toBe(0);
});

test('ends when stdin ends before a client has sent anything', async () => {
  await start();
  const end = ended(8000);
  child.stdin.end();
  expect(await end).toBe(0);
});

test.skipIf(process.platform === 'win32')('exits with 0 on SIGTERM', async () => {
  await start();
  await initialize();
  const end = ended(4500);
  child.kill('SIGTERM');
  expect(await end).toBe(0);
});

test('sends no progress to a client that did not request it', async () => {
  const node = await silentNode();
  try {
    await start({ SSH_PORT: String(node.port) });
    await initialize();
    write({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'proxmox_list_containers' } });
    await setTimeout(2500);
    write({ jsonrpc: '2.0', id: 3, method: 'ping' });
    await answerTo(3);
    // The answers to initialize and ping; the call itself still runs.
    expect(lines).toHaveLength(2);
  } finally {
    node.close();
  }
});

test('ends when stdin ends during a call', async () => {
  const node = await silentNode();
  try {
    await start({ SSH_PORT: String(node.port) });
    await initialize();
    write({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'proxmox_list_containers' } });
    await setTimeout(500);
    const end = ended(4500);
    child.stdin.end();
    expect(await end).toBe(0);
  } finally {
    node.close();
  }
});
