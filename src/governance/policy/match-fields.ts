import { matchesGlob } from '../../lib/glob.ts';
import { shortToolName } from '../../lib/tool-name.ts';
import {
  ATTRIBUTE_NAMES,
  type AttributeField,
  type AttributeName,
  CONTAINER_ATTRIBUTES,
  type ContainerAttributes,
  valuesOf,
} from '../../remote/container-attributes.ts';
import type { Effect } from '../../tools/tool.ts';
import type { Subject, ToolTraits } from './policy-types.ts';
import type { CallConditions, CallMatch, Match } from './rules.ts';
import { isWithin } from './time.ts';

/** Whether a rule matches no call of a tool, some calls, or every call. */
export type Coverage = 'never' | 'sometimes' | 'always';

/** The facts that are known before a tool is called. */
export interface Listing {
  readonly tool: ToolTraits;
  /** null: any caller. */
  readonly caller: string | null;
  /** Commands that count as read-only. */
  readonly exactCommands: ReadonlySet<string>;
}

interface CallField<T> {
  readonly coverage: (wanted: T, listing: Listing) => Coverage;
  /** @param effect the result of `effectOf` */
  readonly matches: (wanted: T, subject: Subject, effect: Effect) => boolean;
}

/** Conditions on the call itself. A field of `CallConditions` that is missing here is a compile error. */
const CALL_FIELDS: { readonly [F in keyof CallConditions]: CallField<CallConditions[F]> } = {
  tool: {
    coverage: (patterns, { tool }) => allOrNone(patterns.some((pattern) => matchesTool(pattern, tool.tool))),
    matches: (patterns, { tool }) => patterns.some((pattern) => matchesTool(pattern, tool)),
  },
  target: {
    coverage: (targets, { tool }) => allOrNone(targets.includes(tool.target)),
    matches: (targets, { target }) => targets.includes(target),
  },
  effect: {
    coverage: (effects, { tool, exactCommands }) => {
      const asTool = effects.includes(tool.effect);
      if (tool.effect !== 'exec' || exactCommands.size === 0) return allOrNone(asTool);
      const asRead = effects.includes('read');
      return asTool === asRead ? allOrNone(asTool) : 'sometimes';
    },
    matches: (effects, _, effect) => effects.includes(effect),
  },
  vmid: {
    coverage: (_, { tool }) => someOrNone(tool.target === 'container'),
    matches: (ranges, { vmid }) => vmid !== null && ranges.some(({ from, to }) => vmid >= from && vmid <= to),
  },
  caller: {
    coverage: (patterns, { caller }) => allOrNone(caller === null || matchesCaller(patterns, caller)),
    matches: (patterns, { caller }) => matchesCaller(patterns, caller),
  },
  time: {
    coverage: () => 'sometimes',
    matches: (windows, { at }) => windows.some((window) => isWithin(window, at)),
  },
  overwrite: {
    coverage: (wanted, { tool }) => flagCoverage(wanted, tool.canOverwrite),
    matches: (wanted, { overwrite }) => wanted === overwrite,
  },
  force: {
    coverage: (wanted, { tool }) => flagCoverage(wanted, tool.canForce),
    matches: (wanted, { force }) => wanted === force,
  },
};

type CallFieldName = keyof CallConditions;

function isCallField(field: string): field is CallFieldName {
  return Object.hasOwn(CALL_FIELDS, field);
}

const CALL_FIELD_NAMES: readonly CallFieldName[] = Object.keys(CALL_FIELDS).filter(isCallField);

/** Conditions on the container, by the name of the attribute. */
export const ATTRIBUTE_FIELDS: readonly (readonly [AttributeName, AttributeField])[] = ATTRIBUTE_NAMES.map(
  (name) => [name, CONTAINER_ATTRIBUTES[name].field],
);

/** Every field that a rule can have. */
export const MATCH_FIELDS: readonly (keyof Match)[] = [
  ...CALL_FIELD_NAMES,
  ...ATTRIBUTE_FIELDS.map(([, field]) => field),
];

/** Whether the conditions match every call of the tool by the caller, some, or none. `sometimes` if that is hard to determine. */
export function coverageOf(match: Match, listing: Listing): Coverage {
  const ofContainer = someOrNone(listing.tool.target === 'container');
  const each = [
    ...CALL_FIELD_NAMES.map((field) => fieldCoverage(field, match, listing)),
    ...(needsAttributes(match) ? [ofContainer] : []),
  ];
  if (each.includes('never')) return 'never';
  return each.includes('sometimes') ? 'sometimes' : 'always';
}

function fieldCoverage<F extends CallFieldName>(field: F, match: CallMatch, listing: Listing): Coverage {
  const wanted = match[field];
  const entry: CallField<CallConditions[F]> = CALL_FIELDS[field];
  return wanted === undefined ? 'always' : entry.coverage(wanted, listing);
}

/** Whether the call matches, apart from the conditions on the container. */
export function fitsCall(match: Match, subject: Subject, effect: Effect): boolean {
  // Rules with conditions on the container match only calls on containers.
  if (subject.target !== 'container' && needsAttributes(match)) return false;
  for (const field of CALL_FIELD_NAMES) {
    if (match[field] !== undefined && !fitsField(field, match, subject, effect)) return false;
  }
  return true;
}

function fitsField<F extends CallFieldName>(
  field: F,
  match: CallMatch,
  subject: Subject,
  effect: Effect,
): boolean {
  const wanted = match[field];
  const entry: CallField<CallConditions[F]> = CALL_FIELDS[field];
  return wanted === undefined ? true : entry.matches(wanted, subject, effect);
}

/** The attributes on which each rule depends. Computed once, because a call may be decided for thousands of containers. */
const needs = new WeakMap<Match, readonly AttributeName[]>();

/** The attributes of the container on which the rule depends. */
export function neededAttributes(match: Match): readonly AttributeName[] {
  const known = needs.get(match);
  if (known !== undefined) return known;
  const names = ATTRIBUTE_FIELDS.filter(([, field]) => match[field] !== undefined).map(([name]) => name);
  needs.set(match, names);
  return names;
}

/** Whether the rule depends on attributes of the container. */
export function needsAttributes(match: Match): boolean {
  return neededAttributes(match).length > 0;
}

/** Whether the container matches. */
export function fitsContainer(match: Match, attributes: ContainerAttributes): boolean {
  return neededAttributes(match).every((name) => {
    const { field, ignoreCase } = CONTAINER_ATTRIBUTES[name];
    return matchesAny(match[field] ?? [], valuesOf(attributes, name), ignoreCase);
  });
}

function matchesAny(patterns: readonly string[], values: readonly string[], ignoreCase: boolean): boolean {
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text);
  return patterns.some((pattern) => values.some((value) => matchesGlob(fold(pattern), fold(value))));
}

function matchesCaller(patterns: readonly string[], caller: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, caller));
}

/** Matches the name with or without `proxmox_`. */
export function matchesTool(pattern: string, tool: string): boolean {
  return matchesGlob(pattern, tool) || matchesGlob(pattern, shortToolName(tool));
}

/** Whether the rule names the tool, by a pattern that does not match every tool. */
export function namesTool({ tool: patterns }: Pick<Match, 'tool'>, tool: string): boolean {
  return patterns?.some((pattern) => /[^*?]/.test(pattern) && matchesTool(pattern, tool)) ?? false;
}

function allOrNone(fits: boolean): Coverage {
  return fits ? 'always' : 'never';
}

function someOrNone(possible: boolean): Coverage {
  return possible ? 'sometimes' : 'never';
}

function flagCoverage(wanted: boolean, canBeSet: boolean): Coverage {
  return canBeSet ? 'sometimes' : allOrNone(!wanted);
}
