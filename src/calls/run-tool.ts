import type { Reply, TargetOutcome } from '../tools/tool.ts';
import type { ServerDeps } from './call-deps.ts';
import type { CallRecord, ValidatedCall } from './call-record.ts';
import { startProgress } from './progress.ts';

/**
 * Stage 5: runs the tool with the precondition of each target. Only this function calls `run` of a tool.
 * @throws what the tool throws
 */
export async function run(
  { call, input, targets }: ValidatedCall,
  deps: ServerDeps,
): Promise<Reply<Record<string, unknown>>> {
  const progress = call.notify === undefined ? undefined : startProgress(call.notify, deps.redactor);
  try {
    return await call.tool.run(
      { ...input },
      {
        cluster: await deps.cluster(),
        precondition: targets[0]?.precondition ?? null,
        preconditionOf: (role) => targets.find(({ subject }) => subject.role === role)?.precondition ?? null,
        containers: targets.flatMap(({ subject: { vmid }, selected, precondition, refusal, withheld }) => {
          const { name = null, node = null } = selected ?? {};
          return vmid === null ? [] : [{ vmid, name, node, precondition, refusal, withheld }];
        }),
        caller: call.caller,
        settings: deps.settings,
        signal: call.signal,
        showsProgress: progress !== undefined,
        progress: (message, done, total, recent) => progress?.update(message, done, total, recent),
      },
    );
  } finally {
    await progress?.stop();
  }
}

/** Fills in the outcome of each target, if the tool reports them separately. */
export function withOutcomes<R extends CallRecord>(record: R, reply: Reply<Record<string, unknown>>): R {
  const outcomes = new Map<number | null, TargetOutcome>(reply.outcomes?.map((each) => [each.vmid, each]));
  const targets = record.targets.map((target) => ({
    ...target,
    outcome: outcomes.get(target.subject.vmid) ?? null,
  }));
  return { ...record, targets };
}
