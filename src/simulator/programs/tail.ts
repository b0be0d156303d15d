import { fromBytes } from '../kernel/bytes.ts';
import { chunksOf, eachInput, linesOf } from './input.ts';
import { parseBytes, parseOptions } from './options.ts';
import { type Call, Failure } from './program.ts';

const POLL_MS = 100;

/** `tail -n 5`, `-n +5`, `-c 10`; `-f` follows the file. */
export async function tail(call: Call): Promise<number> {
  // `-5` is the old form of `-n 5`, as the first argument only: `-n -5` has another meaning.
  const [first = '', ...others] = call.args;
  const args = /^-\d+$/.test(first) ? [`-n${first.slice(1)}`, ...others] : call.args;
  const options = parseOptions(args, 'n:c:fFqvs:', {
    long: { lines: 'n', bytes: 'c', follow: 'f', quiet: 'q', retry: 'F' },
  });
  const text = options.value('c') ?? options.value('n') ?? '10';
  const limit = parseBytes(text.replace(/^[-+]/, ''));
  if (limit === undefined) throw new Failure(`invalid number of lines: '${fromBytes(text)}'`);
  const fromStart = text.startsWith('+');
  const titles = options.rest.length > 1 && !options.has('q');
  let index = 0;
  const code = await eachInput(call, options.rest, async (file, name) => {
    if (titles) await call.printBytes(`${index++ > 0 ? '\n' : ''}==> ${name} <==\n`);
    const bytes = options.has('c');
    const kept: string[] = [];
    let count = 0;
    const take = async (piece: string) => {
      count += 1;
      if (fromStart) {
        if (count >= limit) await call.printBytes(piece);
        return;
      }
      kept.push(piece);
      if (kept.length > 2 * limit + 1000) kept.splice(0, kept.length - limit);
    };
    if (!bytes) for await (const line of linesOf(call, file)) await take(line.text + line.newline);
    else
      for await (const chunk of chunksOf(call, file))
        for (const char of chunk.toString('latin1')) await take(char);
    if (!fromStart && limit > 0) await call.printBytes(kept.slice(-limit).join(''));
    while (options.has('f') || options.has('F')) {
      const chunk = await file.read(call.process, 65_536);
      if (chunk.length > 0) await call.write(chunk);
      else if (file.inode === undefined) return;
      else await call.process.sleep(POLL_MS);
    }
  });
  return code;
}
