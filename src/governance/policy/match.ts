import { matchesGlob } from '../../lib/glob.ts';
import { shortToolName } from '../../lib/tool-name.ts';
import type { ContainerAttributes } from '../../remote/remote-types.ts';
import type { Effect } from '../../tools/tool.ts';
import type { Subject, ToolTraits } from './policy-types.ts';
import type { Match, VmidRange } from './rules.ts';
import { isWithin } from './time.ts';

/** Fields that are asked of the container, not of the call. */
const GUEST_FIELDS = ['name', 'tag', 'pool', 'node'] as const;

/** Whether the rule depends on attributes of the container. */
export function needsGuest(match: Match): boolean {
  return GUEST_FIELDS.some((field) => match[field] !== undefined);
}

/** What the tool alone says: false when no input and no caller could make the rule match. */
export function fitsTool(match: Match, { tool, target, canOverwrite, canForce }: ToolTraits): boolean {
  return (
    (match.tool?.some((pattern) => matchesTool(pattern, tool)) ?? true) &&
    (match.target?.includes(target) ?? true) &&
    (match.overwrite !== true || canOverwrite) &&
    (match.force !== true || canForce) &&
    (target === 'container' || (match.vmid === undefined && !needsGuest(match)))
  );
}

/** Every name begins with the same word, so that people leave it out. */
export function matchesTool(pattern: string, tool: string): boolean {
  return matchesGlob(pattern, tool) || matchesGlob(pattern, shortToolName(tool));
}

/** What the call itself says, as far as no attribute of the container is needed. */
export function fitsCall(match: Match, subject: Subject, effect: Effect): boolean {
  return (
    fitsTool(match, subject) &&
    (match.effect?.includes(effect) ?? true) &&
    (match.vmid === undefined || (subject.vmid !== null && inRanges(match.vmid, subject.vmid))) &&
    fitsCaller(match, subject.caller) &&
    (match.overwrite === undefined || match.overwrite === subject.overwrite) &&
    (match.force === undefined || match.force === subject.force) &&
    (match.time?.some((window) => isWithin(window, subject.at)) ?? true)
  );
}

export function fitsCaller({ caller: patterns }: Match, caller: string): boolean {
  return patterns?.some((pattern) => matchesGlob(pattern, caller)) ?? true;
}

/** What the container itself says; undefined when that depends on its pool, and nobody can tell that. */
export function fitsGuest({ name, tag, pool, node }: Match, guest: ContainerAttributes): boolean | undefined {
  const fits =
    (name?.some((pattern) => matchesGlob(pattern, guest.name)) ?? true) &&
    (tag?.some((pattern) => guest.tags.some((each) => matchesTag(pattern, each))) ?? true) &&
    (node?.some((pattern) => matchesGlob(pattern, guest.node)) ?? true);
  if (!fits || pool === undefined) return fits;
  const of = guest.pool;
  return of === undefined ? undefined : pool.some((pattern) => of !== null && matchesGlob(pattern, of));
}

/** Whichever case somebody typed: so Proxmox VE takes tags, unless the datacenter is set otherwise. */
function matchesTag(pattern: string, tag: string): boolean {
  return matchesGlob(pattern.toLowerCase(), tag.toLowerCase());
}

function inRanges(ranges: readonly VmidRange[], vmid: number): boolean {
  return ranges.some(({ from, to }) => vmid >= from && vmid <= to);
}
