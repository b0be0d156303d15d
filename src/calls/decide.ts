import type { AttributeReader, Policy, Subject } from '../governance/policy/policy-types.ts';
import { refusal } from '../governance/policy/refusal.ts';
import { AppError } from '../lib/errors.ts';
import { hostAccessDisabled } from '../tools/tool.ts';
import type { ServerDeps } from './call-deps.ts';
import type { CallTarget, ValidatedCall } from './call-record.ts';

/**
 * Stage 2: fills in the decision of each target. A target that is refused is left out of the call; when all are, the call is
 * refused.
 */
export async function decide(
  record: ValidatedCall,
  policy: Policy,
  deps: ServerDeps,
): Promise<ValidatedCall> {
  const { tool, signal } = record.call;
  if (tool.target === 'host' && !deps.settings.enableHostExec) throw hostAccessDisabled();
  const targets = await Promise.all(
    record.targets.map((target) => decideTarget(target, policy, signal, deps)),
  );
  return { ...record, targets };
}

/** The refusal of the call: that of its first target, when nothing may be done to any of them. */
export function commonRefusal({ targets }: ValidatedCall): AppError | undefined {
  const [first] = targets;
  return targets.every((target) => target.refusal !== null) ? (first?.refusal ?? undefined) : undefined;
}

async function decideTarget(
  target: CallTarget,
  policy: Policy,
  signal: AbortSignal,
  deps: ServerDeps,
): Promise<CallTarget> {
  // An earlier attempt may have been decided on another day.
  const subject = { ...target.subject, at: new Date() };
  const undecided = { ...target, subject, decision: null, refusal: null, precondition: null };
  try {
    const decision = await policy.decide(subject, attributeReader(subject, signal, deps));
    const denied =
      decision.outcome === 'deny'
        ? refusal(subject.tool, decision)
        : await ownContainerRefusal(subject, signal, deps);
    return { ...undecided, decision, refusal: denied };
  } catch (thrown) {
    // The container does not exist, or the node cannot be asked about it.
    if (!(thrown instanceof AppError)) throw thrown;
    return { ...undecided, refusal: thrown };
  }
}

/**
 * Why nothing is done in the container that this server runs in: its token, its settings and the key of the node are there.
 * @throws AppError where the node cannot be asked
 */
async function ownContainerRefusal(
  { vmid, effect }: Subject,
  signal: AbortSignal,
  { cluster, settings }: ServerDeps,
): Promise<AppError | null> {
  if (vmid === null || effect === 'read' || settings.allowSelf) return null;
  const own = await (await cluster()).ownContainers(signal);
  if (!own.has(vmid)) return null;
  return new AppError(
    'OWN_CONTAINER',
    `Container ${vmid} is refused: this server runs in it, with its settings, its tokens and the SSH key of the node.`,
    'Do it by hand on the node, or ask the operator to start the server with ALLOW_SELF=true.',
  );
}

/** Reads the attributes of the container that a subject is about; costs no round trip while they are known. */
export function attributeReader(subject: Subject, signal: AbortSignal, deps: ServerDeps): AttributeReader {
  return async (look) => {
    if (subject.vmid === null) return undefined;
    const cluster = await deps.cluster();
    return cluster.guest(subject.vmid, signal, look);
  };
}
