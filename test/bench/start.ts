import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { serverCommand } from '../mcp/client.ts';
import { atMost, type Row, takeTurns } from './measure.ts';

const ROUNDS = 25;

/** From the start of the server process to the answer to tools/list, measured by an independent client. */
export async function start(): Promise<Row[]> {
  const [legacy, modern, empty] = await takeTurns(ROUNDS, [
    () => untilListed(LEGACY),
    () => untilListed(MODERN),
    emptyProcess,
  ]);
  return [
    row('cold start to tools/list, with initialize', legacy, empty),
    row('cold start to tools/list, modern era', modern, empty),
  ];
}

function row(measure: string, ours: number, floor: number): Row {
  return { measure, unit: 'ms', ours, floor, limit: atMost(3.3) };
}

interface Message {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Absent in a notification. */
  readonly id?: number;
}

const clientInfo = { name: 'bench', version: '1.0.0' };

const LEGACY: readonly Message[] = [
  { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } },
  { method: 'notifications/initialized' },
  { id: 2, method: 'tools/list' },
];

const envelope = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': {},
  },
};

const MODERN: readonly Message[] = [
  { id: 1, method: 'server/discover', params: envelope },
  { id: 2, method: 'tools/list', params: envelope },
];

/** Sends messages, each after the answer to the previous one, and returns the total time in ms. */
async function untilListed(messages: readonly Message[]): Promise<number> {
  const { command, args } = serverCommand();
  const env = { PATH: process.env.PATH, I_ACCEPT_RISKS: 'true', HOST: '192.0.2.1' };
  const started = performance.now();
  const child = spawn(command, args, { cwd: tmpdir(), env, stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last = '';
  for (const message of messages) {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    if (message.id === undefined) continue;
    const answer = await answers.next();
    last = answer.done === true ? '' : answer.value;
  }
  const elapsed = performance.now() - started;
  const exit = once(child, 'exit');
  child.stdin.end();
  await exit;
  if (!last.includes('"proxmox_container_exec_command"')) throw new Error(`no list of tools: ${last}`);
  return elapsed;
}

/** The minimum for every server in JavaScript. */
async function emptyProcess(): Promise<number> {
  const started = performance.now();
  await once(
    spawn(process.execPath, ['-e', '0'], { cwd: tmpdir(), env: { PATH: process.env.PATH }, stdio: 'pipe' }),
    'exit',
  );
  return performance.now() - started;
}
