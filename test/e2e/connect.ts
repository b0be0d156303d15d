import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import * as z from 'zod';
import {
  type CallOptions,
  type CallResult,
  connectClient,
  type Era,
  type TestClient,
} from '../mcp/client.ts';
import { Rig } from '../rig/rig.ts';
import { type NodeUnderTest, rigSettings } from './nodes.ts';

export { rigSettings };

export interface RigClientOptions {
  readonly era?: Era;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a server that logs in to a node, and connects a client to it. */
export function connectToRig(node: Rig | NodeUnderTest, options: RigClientOptions = {}): Promise<TestClient> {
  const era = options.era === undefined ? {} : { era: options.era };
  const settings = node instanceof Rig ? rigSettings(node) : node.settings();
  return connectClient({ ...era, env: { ...settings, ...options.env } });
}

/** A server for all tests of a suite, with its own transfer directory. */
export function useClient(rig: Rig | NodeUnderTest, env: Readonly<Record<string, string>> = {}) {
  let client: TestClient | undefined;
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-e2e-'));
    client = await connectToRig(rig, { env: { TRANSFER_DIRS: dir, ...env } });
  });
  afterAll(async () => {
    await client?.close();
    await rm(dir, { recursive: true, force: true });
  });
  const connected = (): TestClient => {
    if (client === undefined) throw new Error('used before the suite has begun');
    return client;
  };
  return {
    get client() {
      return connected();
    },
    /** The server's transfer directory. */
    get dir() {
      return dir;
    },
    call: (tool: string, args: Record<string, unknown>, options?: CallOptions): Promise<CallResult> =>
      connected().callTool(`proxmox_${tool}`, args, options),
    exec: async (vmid: number, command: string, more: Record<string, unknown> = {}, options?: CallOptions) =>
      execResult(
        await connected().callTool('proxmox_container_exec_command', { vmid, command, ...more }, options),
      ),
  };
}

const execShape = z.object({
  exit_code: z.number().nullable(),
  stdout: z.string(),
  stderr: z.string(),
  success: z.boolean(),
  stdout_truncated: z.boolean(),
  stdout_original_length: z.number(),
  stderr_truncated: z.boolean(),
  stderr_original_length: z.number(),
  duration_ms: z.number(),
  ended: z.enum(['exit', 'timeout', 'cancelled', 'disconnected']),
  survivors: z.array(z.object({ pid: z.number(), name: z.string() })).nullable(),
  output_held: z.boolean(),
  redacted: z.number().optional(),
  code: z.string().optional(),
  error: z.string().optional(),
  suggestion: z.string().optional(),
});

/** The structured result of an exec that ran, with all its fields. */
export function execResult(result: CallResult) {
  const parsed = execShape.safeParse(result.data);
  expect(parsed.error, `not the result of a run: ${result.text}`).toBeUndefined();
  return { ...execShape.parse(result.data), isError: result.isError, text: result.text };
}

/** Code and message of a failed call, which must have error, code and suggestion and be marked as an error. */
export function failureOf(result: CallResult): { code: unknown; error: string; suggestion: string } {
  expect(result.isError, result.text).toBe(true);
  expect(result.data).toMatchObject({
    success: false,
    error: expect.any(String),
    suggestion: expect.any(String),
  });
  return {
    code: result.data.code,
    error: String(result.data.error),
    suggestion: String(result.data.suggestion),
  };
}

let serial = 0;
/** A duration of sleep that no other test uses, so that the process can be found in /proc. */
export function uniqueSleep(): string {
  serial += 1;
  return `${3_000 + (process.pid % 1_000) * 1_000 + serial}.5`;
}
