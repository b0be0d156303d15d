type Arguments = Readonly<Record<string, unknown>>;

/** Far deeper than the arguments of any tool. Recursive code would overflow the stack on much deeper values. */
export const MAX_DEPTH = 32;

const CUT = '(nested too deeply)';

/** The same arguments, or a copy in which everything below `MAX_DEPTH` levels is replaced by a note. */
export function boundDepth(args: Arguments): Arguments {
  return isTooDeep(args) ? copyOf(args) : args;
}

export function isTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === MAX_DEPTH || Object.values(value).some((each) => isTooDeep(each, depth + 1));
}

function copyOf(value: object, depth = 0): Arguments {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, bounded(each, depth + 1)]));
}

function bounded(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return CUT;
  return Array.isArray(value) ? value.map((each) => bounded(each, depth + 1)) : copyOf(value, depth);
}
