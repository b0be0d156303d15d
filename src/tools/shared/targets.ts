import * as z from 'zod';
import { AppError } from '../../lib/errors.ts';
import { MAX_PATTERN, matchesGlob } from '../../lib/glob.ts';
import { groupBy } from '../../lib/group-by.ts';
import type { ContainerSummary } from '../../proxmox/proxmox-types.ts';
import type { ContainerTarget, SelectedContainer, TargetSearch } from '../tool.ts';
import { vmidNumber } from './params.ts';

/** Limit of VMIDs in one list. */
const MAX_LISTED = 1000;

/** Limits that no sensible call exceeds are not in the advertised schema, because every conversation would pay for them. */
const UNADVERTISED = { minItems: undefined, maxItems: undefined, minLength: undefined, maxLength: undefined };

const vmidList = z
  .array(vmidNumber, { error: 'must be a list of container IDs, like [101, 102]' })
  .min(1, { error: 'must not be empty' })
  .max(MAX_LISTED, { error: `must have at most ${MAX_LISTED} entries` })
  .meta(UNADVERTISED);

const pattern = z
  .string({ error: 'must be a string' })
  .min(1, { error: 'must not be empty' })
  .max(MAX_PATTERN, { error: `must have at most ${MAX_PATTERN} characters` })
  .meta(UNADVERTISED);

/** The parameters that filter containers. A container matches if it fulfils each of them. */
export const filterInput = {
  tags: z
    .array(pattern, { error: 'must be a list of tags, like ["web"]' })
    .min(1, { error: 'must not be empty' })
    .max(50, { error: 'must have at most 50 entries' })
    .meta(UNADVERTISED)
    .optional()
    .describe('Has one of these tags'),
  name: pattern.optional().describe('Name pattern with * and ?'),
  node: pattern.optional().describe('On this node'),
};

/** The parameters of every tool that works on several containers. All selectors that are given must match. */
export const targetInput = {
  vmids: vmidList.optional().describe('Container IDs'),
  ...filterInput,
  except: vmidList.optional().describe('VMIDs to leave out'),
};

/** The values of `filterInput`. Patterns are globs, in any case. */
export interface ContainerFilter {
  readonly tags?: readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly node?: string | undefined;
}

/** The values of `targetInput`. */
export interface TargetSelection extends ContainerFilter {
  readonly vmids?: readonly number[] | undefined;
  readonly except?: readonly number[] | undefined;
}

/** Whether a container fulfils all conditions of a filter. */
export function matchesFilter(
  container: Pick<ContainerSummary, 'name' | 'node' | 'tags'>,
  { tags, name, node }: ContainerFilter,
): boolean {
  return (
    (tags === undefined || tags.some((tag) => container.tags.some((own) => matches(tag, own)))) &&
    (name === undefined || matches(name, container.name)) &&
    (node === undefined || matches(node, container.node))
  );
}

function matches(glob: string, text: string): boolean {
  return matchesGlob(glob.toLowerCase(), text.toLowerCase());
}

/**
 * The containers that a call selects, in the order of their VMIDs: those that fulfil all selectors, and each of `vmids` even
 * if it does not. Those in which no command can run are skipped with the reason. Templates are only mentioned if `vmids`
 * contains them. Reads the inventory once.
 * @param whenEmpty what a call without any selector means: `all` containers, or `refuse` it, because a forgotten selector must
 * not run a command everywhere
 * @throws AppError INVALID_INPUT without a selector, CONTAINER_NOT_FOUND if nothing matches; errors of reading the inventory
 */
export async function selectContainers(
  selection: TargetSelection,
  { cluster, signal }: TargetSearch,
  whenEmpty: 'all' | 'refuse',
): Promise<readonly SelectedContainer[]> {
  const { vmids, except = [], tags, name, node } = selection;
  const isEmpty = [vmids, tags, name, node].every((selector) => selector === undefined);
  if (isEmpty && whenEmpty === 'refuse') throw nothingNamed();
  const containers = await cluster.list(signal);
  // Loaded with the cluster anyway, but not needed to list the tools.
  const { whyUnusable } = await import('../../proxmox/inventory/diagnose.ts');
  const named = new Set(vmids);
  const excluded = new Set(except);
  const selected: SelectedContainer[] = [];
  for (const container of containers) {
    const { vmid } = container;
    if (excluded.has(vmid) || (vmids === undefined ? container.template : !named.has(vmid))) continue;
    named.delete(vmid);
    const isMatch = matchesFilter(container, selection);
    if (!isMatch && vmids === undefined) continue;
    const skipped = isMatch
      ? (whyUnusable(asSeen(container, vmids !== undefined)) ?? null)
      : doesNotMatch(container);
    selected.push({ vmid, name: container.name, node: container.node, skipped });
  }
  for (const vmid of excluded) named.delete(vmid);
  const missing = await Promise.all([...named].map((vmid) => missingContainer(vmid, { cluster, signal })));
  selected.push(...missing);
  if (selected.length === 0) throw nothingMatches(selection);
  return selected.sort((a, b) => a.vmid - b.vmid);
}

/**
 * The container as if it were on the entry node. The published status of other nodes may be old or missing, so a container that
 * the call names counts as running; if it is not, the attempt fails.
 */
function asSeen(container: ContainerSummary, isNamed: boolean): ContainerSummary {
  if (container.local) return container;
  const isUncertain = isNamed || container.status === 'unknown';
  return { ...container, local: true, status: isUncertain ? 'running' : container.status };
}

/** A VMID that is not in the list of containers: a virtual machine, or an unknown VMID. */
async function missingContainer(vmid: number, { cluster, signal }: TargetSearch): Promise<SelectedContainer> {
  const unknown = { vmid, name: null, node: null };
  try {
    await cluster.guest(vmid, signal);
    // The container was created a moment ago. The decision reads its attributes from the node.
    return { ...unknown, skipped: null };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'CANCELLED') throw error;
    return { ...unknown, skipped: error };
  }
}

function nothingNamed(): AppError {
  return new AppError(
    'INVALID_INPUT',
    'No containers are selected. Nothing was executed.',
    'Select them with vmids, tags, name or node. name="*" selects all that are running.',
  );
}

function doesNotMatch({ vmid, name }: ContainerSummary): AppError {
  return new AppError(
    'WRONG_TARGET',
    `Container ${vmid} (${name}) is in vmids, but does not match the other selectors.`,
    'All selectors that are given must match. Remove the vmid or the selectors.',
  );
}

function nothingMatches({ vmids, tags, name, node, except }: TargetSelection): AppError {
  const given = Object.entries({ vmids, tags, name, node, except })
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${JSON.stringify(value)}`]))
    .join(', ');
  return new AppError(
    'CONTAINER_NOT_FOUND',
    given === '' ? 'There are no containers.' : `No container matches ${given.slice(0, 300)}.`,
    `${name !== undefined && /[[\]{}|,^$\\+()]/.test(name) ? PATTERN_RULES : ''}List names, tags and nodes with proxmox_list_containers.`,
  );
}

/** For a pattern in another notation, such as web[12], {web,db}* or ^web.*$. */
const PATTERN_RULES =
  'In name, * stands for any characters and ? for one; all others stand for themselves. For a list of containers use vmids. ';

/** The row of a container in which a call did nothing. */
export const skippedRow = z.object({
  vmid: z.number(),
  name: z.string().nullable(),
  code: z.string(),
  reason: z.string(),
});

export type SkippedRow = z.output<typeof skippedRow>;

/** The rows of the containers that are skipped or refused. */
export function skippedRows(containers: readonly ContainerTarget[]): SkippedRow[] {
  return containers.flatMap(({ vmid, name, refusal }) =>
    refusal === null ? [] : [{ vmid, name, code: refusal.code, reason: refusal.message }],
  );
}

/** One line for each reason: `Skipped 104 (web4), 105 (db1): CONTAINER_NOT_RUNNING`. */
export function skippedLines(rows: readonly SkippedRow[], title = 'Skipped'): string[] {
  const groups = groupBy(rows, ({ code, vmid, reason }) => `${code} ${reason.replaceAll(String(vmid), '')}`);
  return [...groups.values()].map((group) => {
    const [first] = group;
    const isSameReason = group.every(({ reason }) => reason === first?.reason);
    const why = isSameReason ? `${first?.code}: ${first?.reason}` : first?.code;
    return `${title} ${group.map(containerLabel).join(', ')}: ${why}`;
  });
}

/** `101 (web1)`, or the VMID alone of a container that does not exist. */
export function containerLabel({
  vmid,
  name,
}: {
  readonly vmid: number;
  readonly name: string | null;
}): string {
  return name === null ? String(vmid) : `${vmid} (${name})`;
}
