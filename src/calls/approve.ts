import { createHash } from 'node:crypto';
import type { InputRequiredResult } from '@modelcontextprotocol/server';
import type { ConfirmedTarget } from '../governance/approval/confirmation.ts';
import type { ContainerCommand } from '../governance/approval/question.ts';
import { NODE_LOCKDOWN_FILES } from '../governance/lockdown/lockdown-file.ts';
import type { Subject } from '../governance/policy/policy-types.ts';
import { refusal } from '../governance/policy/refusal.ts';
import type { FileDigest } from '../remote/remote-types.ts';
import type { ServerDeps } from './call-deps.ts';
import type { CallTarget, ValidatedCall } from './call-record.ts';
import { attributeReader } from './decide.ts';

/** The call may run, or the client must be asked first. */
export type Approved =
  | { readonly kind: 'go'; readonly record: ValidatedCall }
  | { readonly kind: 'question'; readonly question: InputRequiredResult };

/**
 * Stage 3: fills in the precondition of each target, with the id of the approval to redeem if the target needs one.
 * @throws AppError if no approval can be requested, or it was refused
 */
export async function approve(record: ValidatedCall, deps: ServerDeps): Promise<Approved> {
  const confirmed = await targetsToConfirm(record, deps);
  if (confirmed.length === 0) {
    return { kind: 'go', record: withPreconditions(record, confirmed, null) };
  }
  const { call, input } = record;
  const confirmation = await deps.confirmation();
  const cluster = await deps.cluster();
  // Approvals are recorded on the node where the call runs, so one for the host must name that node.
  const onHost = record.targets.some(({ subject }) => subject.target === 'host');
  const hostNode = onHost ? await cluster.entryName(call.signal) : null;
  const consume = async (approvalId: string) => {
    const ids = new Map(
      confirmed.map(({ subject, attributes }) => [idFor(approvalId, subject, record), attributes]),
    );
    await Promise.all(
      [...ids].map(([id, attributes]) => cluster.redeem(id, attributes?.node ?? hostNode, call.signal)),
    );
  };
  const approval = await confirmation.request({
    caller: call.caller,
    input,
    targets: confirmed,
    others: othersThan(confirmed, record),
    commands: commandsOf(record),
    hostNode,
    elicitation: call.elicitation,
    digest: async () => {
      const file = call.tool.sends === undefined ? undefined : input[call.tool.sends];
      return typeof file === 'string' ? cluster.localFile(file) : null;
    },
    consume,
  });
  if (approval.kind === 'question') return approval;
  const nodes = new Set(confirmed.map(({ attributes }) => attributes?.node));
  // Redeems the approval as a whole first. Otherwise, if a node is lost now, the same approval could be used there later.
  if (nodes.size > 1) await cluster.redeem(approval.id, null, call.signal);
  const approved = { id: approval.id, source: approval.source, hostNode };
  return { kind: 'go', record: withPreconditions(record, confirmed, approved) };
}

interface ApprovedCall {
  readonly id: string;
  readonly source: FileDigest | null;
  /** The node of a call for the host. */
  readonly hostNode: string | null;
}

/** The containers that the call works on without approval. */
function othersThan(confirmed: readonly ConfirmedTarget[], { targets }: ValidatedCall): number[] {
  const asked = new Set(confirmed.map(({ subject }) => subject.vmid));
  return targets.flatMap(({ refusal: refused, subject: { vmid } }) => {
    const isOther = refused === null && !asked.has(vmid);
    return isOther && vmid !== null ? [vmid] : [];
  });
}

/** The commands of a call with a different one for each container, in those that it works on. */
function commandsOf({ call, input, targets }: ValidatedCall): ContainerCommand[] {
  return targets.flatMap(({ refusal: refused, subject: { vmid } }) => {
    const command = vmid === null || refused !== null ? undefined : call.tool.commandIn?.({ ...input }, vmid);
    return vmid === null || command === undefined ? [] : [{ vmid, command }];
  });
}

/**
 * The targets that need approval, or all parts of a call if one of them does, because the question must show what is done
 * where. It names each container, so its attributes must be readable.
 */
async function targetsToConfirm(
  { call, targets }: ValidatedCall,
  deps: ServerDeps,
): Promise<readonly ConfirmedTarget[]> {
  const needsApproval = ({ decision, refusal: refused }: CallTarget) =>
    refused === null && decision?.outcome === 'confirm';
  const asked =
    call.tool.parts !== undefined && targets.some(needsApproval) ? targets : targets.filter(needsApproval);
  return Promise.all(
    asked.map(async ({ subject, decision }): Promise<ConfirmedTarget> => {
      if (decision === null) throw new TypeError('a target without a decision');
      if (subject.vmid === null) return { subject, decision, attributes: null };
      const attributes = decision.attributes ?? (await attributeReader(subject, call.signal, deps)());
      if (attributes === undefined) {
        throw refusal(subject.tool, {
          ...decision,
          code: 'ATTRIBUTES_UNREADABLE',
          reason: "Approval is required, but the container's name and node cannot be read.",
        });
      }
      return { subject, decision, attributes };
    }),
  );
}

function withPreconditions(
  record: ValidatedCall,
  confirmed: readonly ConfirmedTarget[],
  approved: ApprovedCall | null,
): ValidatedCall {
  const lockdown = record.call.tool.effect === 'read' ? null : NODE_LOCKDOWN_FILES;
  const bySubject = new Map(confirmed.map((each) => [each.subject, each]));
  const single = record.targets.map((target): CallTarget => {
    if (target.refusal !== null) return target;
    const asked = bySubject.get(target.subject);
    if (asked === undefined || approved === null) {
      const { attributes = null, unneeded = [] } = target.decision ?? {};
      const needed = attributes !== null || lockdown !== null;
      const precondition = needed ? { attributes, unneeded, approvalId: null, source: null, lockdown } : null;
      return { ...target, precondition };
    }
    const approvalId = idFor(approved.id, target.subject, record);
    const { attributes } = asked;
    const { source, hostNode } = approved;
    const node = hostNode === null || target.subject.target !== 'host' ? {} : { node: hostNode };
    return { ...target, precondition: { attributes, approvalId, source, lockdown, ...node } };
  });
  // Parts on one container share a precondition, so that one session can check it for both.
  const targets = record.call.tool.parts === undefined ? single : single.map((part) => shared(part, single));
  return { ...record, targets };
}

function shared(part: CallTarget, parts: readonly CallTarget[]): CallTarget {
  const here = parts.filter(({ subject }) => subject.vmid === part.subject.vmid);
  const preconditions = here.flatMap(({ precondition }) => precondition ?? []);
  const precondition = preconditions.find(({ attributes }) => attributes !== null);
  if (precondition === undefined) return part;
  const unneeded = (precondition.unneeded ?? []).filter((name) =>
    preconditions.every((each) => each.attributes === null || each.unneeded?.includes(name)),
  );
  return { ...part, precondition: { ...precondition, unneeded } };
}

/**
 * Each container of a call redeems a separate id, so that the approval can be used once for each of them. The id must not
 * depend on the number of containers: otherwise, with another container in the call, the same approval could be used again.
 */
function idFor(approvalId: string, subject: Subject, { call }: ValidatedCall): string {
  if (call.tool.containers === undefined && call.tool.parts === undefined) return approvalId;
  return createHash('sha256').update(`${approvalId} ${subject.vmid}`).digest('hex').slice(0, 32);
}
