import { isGlob, matchesGlob } from '../../lib/glob.ts';
import type { ToolTraits } from './policy-types.ts';
import type { Match, RuleSet, VmidRange } from './rules.ts';

/*
 * Sets of calls, for asking what a list of rules can do without trying every input. A box holds all calls with one of
 * its vmids and with all of its facts. What a rule matches is cut out of a box, and boxes are left.
 */

export interface Box {
  readonly vmids: readonly VmidRange[];
  /** What is settled: `overwrite`, `force`, `exact` (a command of the exact list), and whether a pattern fits the guest. */
  readonly facts: ReadonlyMap<string, boolean>;
}

interface Fact {
  readonly key: string;
  readonly value: boolean;
}

/** With more boxes than this the question is given up, and the answer is "it depends". */
export const CROWDED = 2000;

/** All calls of a tool. */
export const EVERYTHING: Box = { vmids: [{ from: 100, to: 999_999_999 }], facts: new Map() };

/** Whether a rule matches any of these calls, and what is left without those. */
export function split(
  boxes: readonly Box[],
  match: Match,
  tool: ToolTraits,
  set: RuleSet,
): { readonly inside: boolean; readonly outside: readonly Box[] } {
  let inside = boxes;
  const outside: Box[] = [];
  for (const alternatives of clausesOf(match, tool, set)) {
    outside.push(...alternatives.reduce(denied, inside));
    inside = alternatives.flatMap((fact, index) =>
      assume(alternatives.slice(0, index).reduce(denied, inside), fact),
    );
    if (inside.length + outside.length > CROWDED) return { inside: true, outside: [...outside, ...inside] };
  }
  if (match.vmid !== undefined) {
    const ranges = match.vmid;
    outside.push(...inside.flatMap((box) => withVmids(box, ranges.reduce(without, box.vmids))));
    inside = inside.flatMap((box) => withVmids(box, common(box.vmids, ranges)));
  }
  return { inside: inside.length > 0, outside };
}

/** What must hold for the rule to match: of each list one fact at least. An empty list never holds. */
function clausesOf(match: Match, tool: ToolTraits, set: RuleSet): readonly (readonly Fact[])[] {
  const clauses: Fact[][] = [];
  if (match.effect !== undefined) {
    const mayRead = tool.effect === 'exec' && set.exactCommands.size > 0;
    const asTool = match.effect.includes(tool.effect);
    const asRead = match.effect.includes('read');
    if (!mayRead || asTool === asRead) clauses.push(...(asTool ? [] : [[]]));
    else clauses.push([{ key: 'exact', value: asRead }]);
  }
  if (match.overwrite !== undefined && tool.canOverwrite) {
    clauses.push([{ key: 'overwrite', value: match.overwrite }]);
  }
  if (match.force !== undefined && tool.canForce) clauses.push([{ key: 'force', value: match.force }]);
  for (const field of ['name', 'node', 'pool', 'tag'] as const) {
    const patterns = match[field];
    // Every guest has a name and a node, but not every one a pool or a tag.
    if (patterns === undefined || ((field === 'name' || field === 'node') && patterns.includes('*')))
      continue;
    clauses.push(patterns.map((pattern) => fits(field, field === 'tag' ? pattern.toLowerCase() : pattern)));
  }
  if (match.time !== undefined) {
    clauses.push(
      match.time.map(({ days, ...hours }) => fits('time', JSON.stringify([[...days].sort(), hours]))),
    );
  }
  return clauses;
}

function fits(field: string, pattern: string): Fact {
  return { key: `${field}:${pattern}`, value: true };
}

function denied(boxes: readonly Box[], { key, value }: Fact): readonly Box[] {
  return assume(boxes, { key, value: !value });
}

/** The part of the boxes where the fact holds. */
function assume(boxes: readonly Box[], fact: Fact): readonly Box[] {
  return boxes.flatMap((box) => {
    const known = box.facts.get(fact.key);
    if (known !== undefined) return known === fact.value ? [box] : [];
    if ([...box.facts].some(([key, value]) => exclude(fact, { key, value }))) return [];
    return [{ ...box, facts: new Map(box.facts).set(fact.key, fact.value) }];
  });
}

/** A container has one name, one node, and one pool at most: once it is spelled out, every other pattern fits or does not. */
function exclude(one: Fact, other: Fact): boolean {
  const [field, pattern] = understand(one);
  const [otherField, otherPattern] = understand(other);
  if (field !== otherField || !['name', 'node', 'pool'].includes(field)) return false;
  if (one.value && !isGlob(pattern)) return matchesGlob(otherPattern, pattern) !== other.value;
  if (other.value && !isGlob(otherPattern)) return matchesGlob(pattern, otherPattern) !== one.value;
  return false;
}

function understand({ key }: Fact): readonly [field: string, pattern: string] {
  const colon = key.indexOf(':');
  return [key.slice(0, colon), key.slice(colon + 1)];
}

function withVmids(box: Box, vmids: readonly VmidRange[]): readonly Box[] {
  return vmids.length === 0 ? [] : [{ ...box, vmids }];
}

function common(ranges: readonly VmidRange[], others: readonly VmidRange[]): readonly VmidRange[] {
  return ranges.flatMap((one) =>
    others.flatMap((other) => rangeOf(Math.max(one.from, other.from), Math.min(one.to, other.to))),
  );
}

function without(ranges: readonly VmidRange[], gone: VmidRange): readonly VmidRange[] {
  return ranges.flatMap(({ from, to }) => [
    ...rangeOf(from, Math.min(to, gone.from - 1)),
    ...rangeOf(Math.max(from, gone.to + 1), to),
  ]);
}

function rangeOf(from: number, to: number): readonly VmidRange[] {
  return from > to ? [] : [{ from, to }];
}
