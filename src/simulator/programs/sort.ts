import { allLines, eachInput, linesOf, Output } from './input.ts';
import { parseOptions } from './options.ts';
import type { Call } from './program.ts';

export async function sort(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'bcdfghik:mno:rst:uVz', {
    long: {
      reverse: 'r',
      numeric: 'n',
      unique: 'u',
      key: 'k',
      'numeric-sort': 'n',
      'human-numeric-sort': 'h',
    },
  });
  const end = options.has('z') ? '\0' : '\n';
  const { lines, code } = await allLines(call, options.rest, end);
  const keys = options.values('k').map((spec) => {
    const [, from = '1', flags = '', to, more = ''] =
      /^(\d+)(?:\.\d+)?([a-zA-Z]*)(?:,(\d+)(?:\.\d+)?([a-zA-Z]*))?$/.exec(spec) ?? [];
    return {
      from: Number(from),
      to: to === undefined ? Number.POSITIVE_INFINITY : Number(to),
      flags: flags + more,
    };
  });
  const separator = options.value('t');
  const letters = 'bdfghnrV'
    .split('')
    .filter((letter) => options.has(letter))
    .join('');
  const fieldsOf = (line: string) =>
    separator === undefined ? (line.match(/\s*\S+/g) ?? []) : line.split(separator);
  const compare = (a: string, b: string) => {
    for (const { from, to, flags } of keys.length > 0 ? keys : [{ from: 0, to: 0, flags: '' }]) {
      const pick = (line: string) =>
        from === 0
          ? line
          : fieldsOf(line)
              .slice(from - 1, to)
              .join(separator ?? '');
      const used = flags === '' ? letters : flags;
      const order = compareKeys(pick(a), pick(b), used);
      if (order !== 0) return used.includes('r') ? -order : order;
    }
    if (options.has('s') || options.has('u')) return 0;
    const last = a < b ? -1 : a > b ? 1 : 0;
    return options.has('r') ? -last : last;
  };
  if (options.has('c'))
    return lines.every((line, index) => index === 0 || compare(lines[index - 1] ?? '', line) <= 0) ? 0 : 1;
  const sorted = [...lines].sort(compare);
  const shown = options.has('u')
    ? sorted.filter((line, index) => index === 0 || compare(sorted[index - 1] ?? '', line) !== 0)
    : sorted;
  const text = shown.map((line) => line + end).join('');
  const target = options.value('o');
  if (target === undefined) await call.printBytes(text);
  else {
    const file = (await call.sys.open(target, { writes: true, create: true, truncate: true })).retain();
    await file.write(call.process, Buffer.from(text, 'latin1'));
    file.release();
  }
  return code === 0 ? 0 : 2;
}

function compareKeys(a: string, b: string, flags: string): number {
  if (/[ngh]/.test(flags)) {
    const number = (text: string) => {
      const [, digits = '0', unit = ''] = /^\s*(-?\d*\.?\d*)([KMGT]?)/.exec(text) ?? [];
      return (Number(digits) || 0) * (flags.includes('h') ? 1024 ** ' KMGT'.indexOf(unit || ' ') : 1);
    };
    return number(a) - number(b);
  }
  const clean = (text: string) => {
    const trimmed = /[b]/.test(flags) ? text.trimStart() : text;
    return flags.includes('f') ? trimmed.toUpperCase() : trimmed;
  };
  const [left, right] = [clean(a), clean(b)];
  if (flags.includes('V')) return left.localeCompare(right, 'en', { numeric: true });
  return left < right ? -1 : left > right ? 1 : 0;
}

export async function uniq(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'cdui', { long: { count: 'c', repeated: 'd', unique: 'u' } });
  const output = new Output(call);
  let current: string | undefined;
  let count = 0;
  const finish = async () => {
    if (current === undefined || (options.has('d') && count < 2) || (options.has('u') && count > 1)) return;
    await output.add(`${options.has('c') ? `${String(count).padStart(7)} ` : ''}${current}\n`);
  };
  const code = await eachInput(call, options.rest.slice(0, 1), async (file) => {
    for await (const { text } of linesOf(call, file)) {
      const same = options.has('i') ? text.toLowerCase() === current?.toLowerCase() : text === current;
      if (same) count += 1;
      else {
        await finish();
        current = text;
        count = 1;
      }
    }
  });
  await finish();
  await output.flush();
  return code;
}
