import type { AttributeReader, Decision, Policy, Subject } from '../governance/policy/policy-types.ts';
import { refusal } from '../governance/policy/refusal.ts';
import type { Caller } from '../lib/caller.ts';
import { AppError } from '../lib/errors.ts';
import { hostAccessDisabled, type Tool } from '../tools/tool.ts';
import type { ServerDeps } from './call-deps.ts';
import type { CallTarget, ValidatedCall } from './call-record.ts';
import { ceilingOfTool, disclosureRefused, permissionFor, permissionMissing } from './ceilings.ts';
import { traitsOf } from './subject.ts';

/**
 * Stage 2: fills in the decision of each target. A refused target is excluded from the call. If all targets are refused, so
 * is the call.
 */
export async function decide(
  record: ValidatedCall,
  policy: Policy,
  deps: ServerDeps,
): Promise<ValidatedCall> {
  const { tool } = record.call;
  if (tool.target === 'host' && !deps.settings.enableHostExec) throw hostAccessDisabled();
  const targets = await Promise.all(
    record.targets.map((target) => decideTarget(record, target, policy, deps)),
  );
  return { ...record, targets };
}

/**
 * The refusal of a call with parts if one of them is refused; of another call if all targets are refused: that of the only one, or a summary with the code of
 * the first.
 */
export function commonRefusal({ call, targets }: ValidatedCall): AppError | undefined {
  if (call.tool.parts !== undefined) {
    return targets.find(({ refusal: refused }) => refused)?.refusal ?? undefined;
  }
  const refusals = targets.flatMap(({ refusal: refused }) => (refused === null ? [] : [refused]));
  const [first] = refusals;
  if (first === undefined || refusals.length < targets.length) return undefined;
  if (targets.length === 1) return first;
  const reasons = [...new Set(refusals.map(({ message }) => message))];
  const shown = reasons.slice(0, MAX_REASONS).join(' ');
  const more = reasons.length > MAX_REASONS ? ` And ${reasons.length - MAX_REASONS} more.` : '';
  return new AppError(
    first.code,
    `None of the ${targets.length} selected containers can be used. ${shown}${more}`,
    first.hint,
  );
}

const MAX_REASONS = 5;

async function decideTarget(
  { call: { tool, caller, signal }, input }: ValidatedCall,
  target: CallTarget,
  policy: Policy,
  deps: ServerDeps,
): Promise<CallTarget> {
  // Updated, because a rule may depend on the time and this may be a later attempt.
  const subject = { ...target.subject, at: new Date() };
  const skipped = target.selected?.skipped ?? null;
  const undecided = {
    ...target,
    subject,
    decision: null,
    refusal: skipped,
    withheld: null,
    precondition: null,
  };
  if (skipped !== null) return undecided;
  const name = subject.role === undefined ? tool.name : `${tool.name} (${subject.role})`;
  try {
    const ceiling = partCeiling(name, subject, caller, deps);
    if (ceiling !== undefined) return { ...undecided, refusal: ceiling };
    const decision = await policy.decide(subject, attributeReader(subject, signal, deps));
    const denied =
      decision.outcome === 'deny'
        ? refusal(name, await withExpectedContainer(decision, subject, policy, { signal, deps }))
        : (undisclosable(name, subject, decision, deps) ??
          (await ownContainerRefusal(subject, signal, deps)));
    const source = denied === null ? (tool.alsoDiscloses?.({ ...input }) ?? null) : null;
    if (source === null) return { ...undecided, decision, refusal: denied };
    const { withheld, decision: disclosing } = await decideContents(source, subject, policy, {
      caller,
      signal,
      deps,
    });
    if (disclosing === null) return { ...undecided, decision, withheld };
    // The node then also verifies what the decision on the contents depends on.
    const attributes = decision.attributes ?? disclosing.attributes;
    const unneeded = decision.unneeded.filter((name) => disclosing.unneeded.includes(name));
    return { ...undecided, decision: { ...decision, attributes, unneeded }, withheld };
  } catch (thrown) {
    // The container does not exist, or the node cannot be queried.
    if (!(thrown instanceof AppError)) throw thrown;
    return { ...undecided, refusal: thrown };
  }
}

/**
 * Whether a call may also return contents of the container as `source` does. They need no approval of their own, so they are
 * withheld where `source` needs one.
 */
async function decideContents(
  source: Tool,
  whole: Subject,
  policy: Policy,
  {
    caller,
    signal,
    deps,
  }: { readonly caller: Caller; readonly signal: AbortSignal; readonly deps: ServerDeps },
): Promise<{ readonly withheld: AppError | null; readonly decision: Decision | null }> {
  const ceiling = ceilingOfTool(source, deps.settings, policy, caller);
  if (ceiling !== undefined) return { withheld: ceiling.error, decision: null };
  const { name } = source;
  const subject = { ...whole, ...traitsOf(source) };
  const decision = await policy.decide(subject, attributeReader(subject, signal, deps));
  const withheld =
    decision.outcome === 'deny'
      ? refusal(name, decision)
      : decision.outcome === 'confirm'
        ? new AppError('CONFIRMATION_REQUIRED', `${name} needs approval.`, `Call ${name}.`)
        : (undisclosable(name, subject, decision, deps) ??
          (await ownContainerRefusal(subject, signal, deps)));
  return { withheld, decision: withheld === null ? decision : null };
}

/** The limits of a part of a call, which may be on another target than the tool's own. */
function partCeiling(
  name: string,
  subject: Subject,
  caller: Caller,
  { settings }: ServerDeps,
): AppError | undefined {
  if (subject.role === undefined) return undefined;
  if (subject.target === 'host' && !settings.enableHostExec) return hostAccessDisabled();
  return permissionMissing(name, permissionFor(subject), caller);
}

/** Under READ_ONLY, contents are disclosed only if the rule that decides on the call names the tool. */
function undisclosable(
  name: string,
  { discloses }: Subject,
  { allowedByName }: Decision,
  { settings }: ServerDeps,
): AppError | null {
  return settings.readOnly && discloses === true && allowedByName !== true ? disclosureRefused(name) : null;
}

/**
 * If the container does not have the expected name, adds to the reason which container has it. Containers in which the policy
 * denies this call are not named.
 */
async function withExpectedContainer(
  decision: Decision,
  subject: Subject,
  policy: Policy,
  { signal, deps }: { readonly signal: AbortSignal; readonly deps: ServerDeps },
): Promise<Decision> {
  const expected = subject.expectName?.toLowerCase();
  if (decision.code !== 'WRONG_TARGET' || expected === undefined) return decision;
  const cluster = await deps.cluster();
  const containers = await cluster.list(signal).catch(() => []);
  const found: number[] = [];
  for (const { vmid, name } of containers) {
    if (name.toLowerCase() !== expected || found.length === MAX_NAMED) continue;
    const other = { ...subject, vmid };
    const { outcome } = await policy.decide(other, attributeReader(other, signal, deps));
    if (outcome !== 'deny') found.push(vmid);
  }
  if (found.length === 0) return decision;
  const which = found.length === 1 ? `container ${found[0]}` : `containers ${found.join(' and ')}`;
  return { ...decision, reason: `${decision.reason} The name belongs to ${which}.` };
}

/** Proxmox VE allows several containers with one name. */
const MAX_NAMED = 3;

/**
 * The refusal of a call on the container that this server runs in, because it contains the server's tokens, settings and SSH
 * key.
 * @throws AppError if the node cannot be queried
 */
async function ownContainerRefusal(
  { vmid, effect, discloses }: Subject,
  signal: AbortSignal,
  { cluster, settings }: ServerDeps,
): Promise<AppError | null> {
  const shows = effect === 'read' && discloses !== true;
  if (vmid === null || shows || settings.allowSelf) return null;
  if (!(await (await cluster()).isOwnContainer(vmid, signal))) return null;
  return new AppError(
    'OWN_CONTAINER',
    `Container ${vmid} is refused: this server runs in it, with its settings, its tokens and the SSH key of the node.`,
    'Ask your user to do this on the node or start the server with ALLOW_SELF=true.',
  );
}

/** Reads the attributes of the container of a subject; without a round trip if they are cached. */
export function attributeReader(subject: Subject, signal: AbortSignal, deps: ServerDeps): AttributeReader {
  return async (look) => {
    if (subject.vmid === null) return undefined;
    const cluster = await deps.cluster();
    return cluster.guest(subject.vmid, signal, look);
  };
}
