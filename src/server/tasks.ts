import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { ServerDeps } from '../calls/call-deps.ts';
import type { JobTask } from '../calls/job-task.ts';
import type { Caller } from '../lib/caller.ts';
import { AppError } from '../lib/errors.ts';

/** The extension by which a call returns a task instead of a result. The SDK has no API for it yet. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

const POLL_INTERVAL_MS = 2_000;
/** Jobs are removed a day after their end. */
const KEPT_MS = 86_400_000;

const taskParams = z.looseObject({ taskId: z.string() });

/** Whether the client has declared the extension in this request. Clients of older revisions cannot. */
export function takesTasks(ctx: ServerContext): boolean {
  const envelope: Readonly<Record<string, unknown>> = ctx.mcpReq.envelope ?? {};
  const capabilities = envelope[CLIENT_CAPABILITIES_META_KEY];
  const extensions = isRecord(capabilities) ? capabilities.extensions : undefined;
  return isRecord(extensions) && isRecord(extensions[TASKS_EXTENSION]);
}

/**
 * The result of a call for a client with tasks: a job that is still running becomes a task, which replaces the rest of the
 * result.
 */
export function asTask(result: CallToolResult | InputRequiredResult): CallToolResult | InputRequiredResult {
  const running = runningJob.safeParse(result);
  if (!running.success) return result;
  const { job, duration_ms, timeout_s } = running.data.structuredContent;
  const now = Date.now();
  const fields = taskFields({
    id: job,
    status: 'working',
    createdAt: now - duration_ms,
    updatedAt: now,
    timeoutS: timeout_s,
  });
  // The SDK's types know results with content only.
  return { content: [], resultType: 'task', ...fields };
}

const runningJob = z.object({
  structuredContent: z.object({
    state: z.literal('running'),
    job: z.string(),
    duration_ms: z.number(),
    timeout_s: z.number(),
  }),
});

/** Registers tasks/get, tasks/update and tasks/cancel. */
export function answerTasks({ server }: McpServer, deps: ServerDeps, caller: Caller): void {
  const handle = (method: string, respond: (taskId: string, ctx: ServerContext) => Promise<Result>) =>
    server.setRequestHandler(method, { params: taskParams }, async ({ taskId }, ctx) => {
      if (!takesTasks(ctx)) throw missingCapability();
      return respond(taskId, ctx);
    });
  const read = async (taskId: string, ctx: ServerContext): Promise<JobTask> => {
    const { readJobTask } = await import('../calls/job-task.ts');
    try {
      return await readJobTask(taskId, { caller, signal: ctx.mcpReq.signal }, deps);
    } catch (error) {
      throw toProtocolError(error, deps);
    }
  };
  handle('tasks/get', async (taskId, ctx) => stateOf(await read(taskId, ctx)));
  // A job never asks for input, so there is nothing that a response could belong to.
  handle('tasks/update', async (taskId, ctx) => {
    await read(taskId, ctx);
    return {};
  });
  handle('tasks/cancel', async (taskId, ctx) => {
    await read(taskId, ctx);
    const { cancelJobTask } = await import('../calls/job-task.ts');
    const refused = await cancelJobTask(taskId, { caller, signal: ctx.mcpReq.signal }, deps);
    if (refused !== undefined) {
      throw new ProtocolError(ProtocolErrorCode.InternalError, `${refused.code}: ${refused.message}`);
    }
    return {};
  });
}

function stateOf({ job, message, result }: JobTask): Result {
  const { id, startedAt, timeoutS, durationMs, end } = job;
  const status = end === null ? 'working' : result === null ? 'cancelled' : 'completed';
  const updatedAt = end === null ? Date.now() : startedAt + (durationMs ?? 0);
  return {
    ...taskFields({ id, status, createdAt: startedAt, updatedAt, timeoutS }),
    statusMessage: message,
    ...(result === null ? {} : { result }),
  };
}

function taskFields(task: {
  readonly id: string;
  readonly status: 'working' | 'completed' | 'cancelled';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly timeoutS: number;
}) {
  return {
    taskId: task.id,
    status: task.status,
    createdAt: new Date(task.createdAt).toISOString(),
    lastUpdatedAt: new Date(task.updatedAt).toISOString(),
    ttlMs: task.timeoutS * 1000 + KEPT_MS,
    pollIntervalMs: POLL_INTERVAL_MS,
  };
}

function missingCapability(): ProtocolError {
  return new ProtocolError(
    ProtocolErrorCode.MissingRequiredClientCapability,
    'The client has not declared the tasks extension',
    { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } },
  );
}

/** The same error for a task of another caller and for one that does not exist. */
function toProtocolError(error: unknown, deps: ServerDeps): unknown {
  if (!(error instanceof AppError)) return error;
  if (error.code === 'JOB_NOT_FOUND') {
    return new ProtocolError(ProtocolErrorCode.InvalidParams, 'Failed to retrieve task: task not found');
  }
  const message = `${error.code}: ${deps.redactor.own(error.message)}`;
  return new ProtocolError(ProtocolErrorCode.InternalError, message);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
