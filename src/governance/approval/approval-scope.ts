import { createHash } from 'node:crypto';
import type { ContainerAttributes, FileDigest } from '../../remote/remote-types.ts';

/** What an approval applies to. */
export interface ApprovalScope {
  /** SHA-256 in hex of tool, arguments, caller and node. */
  readonly call: string;
  /** SHA-256 in hex of the set of containers, and the attributes of those that need approval, when it was requested. */
  readonly target: string;
}

export function approvalScopeOf(call: {
  readonly tool: string;
  /** Validated and with defaults, so that `timeout: 30` and no timeout are the same call. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly caller: string;
  /** The nodes that the server connects to, as in PROXMOX_HOST; their order does not matter. */
  readonly host: string;
  /** The attributes of each container; null for the node. */
  readonly attributes: readonly (ContainerAttributes | null)[];
  /** The containers that the call also works on, without needing approval. */
  readonly others: readonly number[];
}): ApprovalScope {
  const { tool, input, caller, host, attributes, others } = call;
  return { call: hash([tool, input, caller, withoutOrder(host)]), target: hash([attributes, others]) };
}

/** Servers that prefer different nodes of the same list share their approvals. */
function withoutOrder(host: string): string {
  const nodes = host.split(',').map((node) => node.trim());
  return nodes.sort().join(',');
}

/** The digest of an upload as text, for signatures. */
export function digestText(source: FileDigest | null): string {
  return source === null ? '' : `${source.bytes} ${source.sha256}`;
}

function hash(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

/** JSON with the keys of objects in order, so that equal values have equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
}
