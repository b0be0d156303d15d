import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type * as z from 'zod/v4';
import { messageOf } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import { findRuleErrors, type Problem, toRuleSet } from './compile.ts';
import { MATCH_FIELDS } from './match-fields.ts';
import { fieldLabel, policySchema, RULE_FIELDS, TIME_FIELDS } from './policy-schema.ts';
import type { RuleSet } from './rules.ts';

/** An error in a policy file and its position. Lines and columns begin at 1. */
export interface PolicyError {
  readonly line: number;
  readonly column: number;
  /** A sentence without the final period. */
  readonly problem: string;
}

export type ParseResult =
  | { readonly ok: true; readonly set: RuleSet }
  | { readonly ok: false; readonly errors: readonly PolicyError[] };

export interface ParseOptions {
  readonly protectedTag: string;
  /** Names of all tools, because a rule for a tool that does not exist would silently have no effect. */
  readonly tools: readonly string[];
}

/** Far more than a thousand rules need. */
const MAX_CHARACTERS = 1_000_000;
/** Limit, because aliases in YAML can expand a small file to a huge one. */
const MAX_ALIASES = 100;

/** Parses the text of a policy file. Reports all errors, in the order of the lines. */
export function parsePolicy(text: string, options: ParseOptions): ParseResult {
  if (text.length > MAX_CHARACTERS)
    return failed([{ line: 1, column: 1, problem: 'the file is larger than 1 MB' }]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const unreadable = [...document.errors, ...document.warnings];
  if (unreadable.length > 0) {
    return failed(unreadable.map(({ pos, message }) => ({ ...at(pos[0]), problem: firstLine(message) })));
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    return failed([{ line: 1, column: 1, problem: firstLine(messageOf(error)) }]);
  }
  const place = (path: readonly PropertyKey[], key = false) => at(offsetOf(document.contents, path, key));
  const parsed = policySchema.safeParse(value);
  if (!parsed.success) {
    return failed(
      parsed.error.issues.flatMap((issue) =>
        problemsOf(issue, value).map(({ path, problem, key }) => ({ ...place(path, key), problem })),
      ),
    );
  }
  const errors = findRuleErrors(parsed.data, options.tools);
  if (errors.length > 0) return failed(errors.map(({ path, problem }) => ({ ...place(path), problem })));
  return {
    ok: true,
    set: toRuleSet(parsed.data, options.protectedTag, (index) => place(['rules', index]).line),
  };
}

function failed(errors: readonly PolicyError[]): ParseResult {
  return { ok: false, errors: [...errors].sort((a, b) => a.line - b.line || a.column - b.column) };
}

function problemsOf(issue: z.core.$ZodIssue, value: unknown): readonly Problem[] {
  const path = asWritten(issue.path, value);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const meant = nearest(key, fieldsAt(path));
      const hint = meant === undefined ? '' : `; did you mean \`${meant}\`?`;
      return {
        path: [...path, key],
        problem: `${fieldLabel([...path, key])} is not a known field${hint}`,
        key: true,
      };
    });
  }
  if (path.length === 0)
    return [{ path, problem: value === null ? 'the file is empty' : `the file ${issue.message}` }];
  const missing = path.reduce(step, value) === undefined;
  return [{ path, problem: `${fieldLabel(path)} ${missing ? 'is missing' : issue.message}` }];
}

/** The path in the file, where a list may be written as a single value. */
function asWritten(path: readonly PropertyKey[], value: unknown): readonly PropertyKey[] {
  let around = value;
  return path.filter((key) => {
    if (typeof key === 'number' && !Array.isArray(around)) return false;
    around = step(around, key);
    return true;
  });
}

function step(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<PropertyKey, unknown>(Object.entries(value)).get(String(key));
}

/** The valid fields at a path, for a suggestion. */
function fieldsAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(policySchema.shape);
  if (path.length === 2) return RULE_FIELDS;
  return path.includes('time') ? TIME_FIELDS : MATCH_FIELDS;
}

/** The offset of a value in the text, or of the nearest value that contains it. */
function offsetOf(contents: unknown, path: readonly PropertyKey[], key: boolean): number {
  let node = contents;
  let offset = startOf(node) ?? 0;
  for (const [index, each] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(each));
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      if (key && index === path.length - 1) break;
      node = pair.value;
    } else if (isSeq(node) && typeof each === 'number') node = node.items[each];
    else break;
    offset = startOf(node) ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? node.range?.[0] : undefined;
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/[.:]$/, '').slice(0, 200);
}
