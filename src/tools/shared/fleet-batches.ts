import { AppError } from '../../lib/errors.ts';
import type { ContainerHandle, ExecResult, Keep } from '../../proxmox/proxmox-types.ts';
import type { ContainerTarget, ToolContext } from '../tool.ts';
import { batchesOf, runPerNode } from './batches.ts';
import { type ContainerCommands, commandFor } from './container-commands.ts';
import { keyOfStreams } from './equal-outputs.ts';
import { characterLimitOf } from './exec-schema.ts';
import { timeoutOf } from './params.ts';

/** The arguments of a call that apply to each container. */
export interface FleetRequest extends ContainerCommands {
  readonly check?: string | undefined;
  readonly timeout?: number | undefined;
  readonly background: boolean;
  readonly canary: boolean;
  readonly stop_on_failure: boolean;
  readonly batch_size?: number | undefined;
  readonly max_output?: number | undefined;
  readonly keep: Keep;
}

/** The result of the command in one container, or why it did not run; the same for the check. */
export interface Attempt {
  readonly target: ContainerTarget;
  readonly container: ContainerHandle;
  /** Number of its batch, from 1; null if there is only one. */
  readonly batch: number | null;
  readonly result: ExecResult | AppError;
  readonly check: ExecResult | AppError | null;
}

/** Runs the command, and the check of each batch, until all are done or a failure stops the rest. */
export async function runBatches(
  usable: readonly ContainerTarget[],
  request: FleetRequest,
  ctx: ToolContext,
): Promise<{ attempts: readonly Attempt[]; stoppedBy: string }> {
  const { check, timeout, background, canary, stop_on_failure, batch_size, ...limits } = request;
  const limit = captureLimit(characterLimitOf(limits, ctx.settings), usable.length);
  const options = {
    timeoutMs: timeoutOf({ timeout, background }) * 1000,
    signal: ctx.signal,
    characterLimit: limit,
    digest: true,
  } as const;
  const outputs = new DistinctOutputs();
  const run = (container: ContainerHandle, line: string) =>
    resultOf(
      container.exec(line, { ...options, keep: limits.keep }).then((result) => outputs.shared(result)),
    );
  const attempts: Attempt[] = [];
  let failed: number | undefined;
  let done = 0;
  const stops = () => ctx.signal.aborted || ((canary || stop_on_failure) && failed !== undefined);
  const batches = batchesOf(usable, { canary, size: batch_size });
  for (const [index, batch] of batches.entries()) {
    const ended = await runPerNode(
      batch,
      async (target): Promise<Attempt> => {
        // The check uses the same handle, so that both redeem the same approval.
        const container = ctx.cluster.container(target.vmid, target.precondition);
        const result = await run(container, commandFor(request, target.vmid));
        if (!succeeded(result)) failed ??= target.vmid;
        done += 1;
        ctx.progress(`${done} of ${usable.length} done`, done, usable.length);
        return { target, container, batch: batches.length > 1 ? index + 1 : null, result, check: null };
      },
      stops,
    );
    const isChecked = check !== undefined && !ctx.signal.aborted;
    const checked = await runPerNode(
      ended.map((attempt) => ({ attempt, node: attempt.target.node })),
      async ({ attempt }): Promise<Attempt> => {
        const isRunnable =
          isChecked && !(attempt.result instanceof AppError) && attempt.result.ended === 'exit';
        return isRunnable ? { ...attempt, check: await run(attempt.container, check) } : attempt;
      },
    );
    attempts.push(...checked);
    const stoppedBy = check === undefined ? undefined : whyNotChecked(checked);
    if (stoppedBy !== undefined && !ctx.signal.aborted) return { attempts, stoppedBy };
    if (stops()) break;
  }
  const stoppedBy = ctx.signal.aborted ? 'The call was cancelled.' : `The command failed in ${failed}.`;
  return { attempts, stoppedBy };
}

/**
 * Why no batch may follow this one, which had a check; undefined if one may. A command that was killed may have done half of its
 * work, and was not checked. One that did not start has changed nothing.
 */
function whyNotChecked(batch: readonly Attempt[]): string | undefined {
  const failed = batch.find(({ check }) => check !== null && !succeeded(check));
  if (failed !== undefined) return `The check failed in ${failed.target.vmid}.`;
  const unchecked = batch.find(({ result, check }) => check === null && !(result instanceof AppError));
  return unchecked && `The command did not end in ${unchecked.target.vmid}, so the check was not run there.`;
}

/** Limits of the characters kept before equal outputs are grouped: of one container, and of all. */
const MOST_KEPT = 25_000;
const MOST_KEPT_OF_ALL = 25_000_000;

/** The characters kept of one container, which bounds the memory for any number of containers. */
export function captureLimit(limit: number, containers: number): number {
  const most = Math.min(limit, MOST_KEPT, Math.floor(MOST_KEPT_OF_ALL / containers));
  return Math.max(most, Math.floor(limit / containers));
}

/** Keeps each different output once, because most containers print the same. */
export class DistinctOutputs {
  readonly #first = new Map<string, ExecResult>();

  /** The same result, with the texts of an earlier one if its output is equal. */
  shared(result: ExecResult): ExecResult {
    const key = keyOfStreams(result);
    const { stdout, stderr, shorten } = this.#first.get(key) ?? result;
    const shared = { ...result, stdout, stderr, shorten };
    if (!this.#first.has(key)) this.#first.set(key, shared);
    return shared;
  }
}

/** An AppError is the result of its container and does not end the call. */
async function resultOf(run: Promise<ExecResult>): Promise<ExecResult | AppError> {
  try {
    return await run;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/** Whether the command has exited with code 0. */
export function succeeded(result: ExecResult | AppError): boolean {
  return !(result instanceof AppError) && result.ended === 'exit' && result.exitCode === 0;
}
