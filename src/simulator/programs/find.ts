import { FileError, type Inode } from '../files/inode.ts';
import { fromBytes, toBytes } from '../kernel/bytes.ts';
import { spawn } from '../kernel/execute-file.ts';
import { matches } from '../shell/pattern.ts';
import { type Call, Failure } from './program.ts';

interface Entry {
  readonly path: string;
  readonly inode: Inode;
  readonly depth: number;
}
type Test = (entry: Entry) => Promise<boolean> | boolean;

/** find with the commonly used tests and actions, without parentheses. */
export async function find(call: Call): Promise<number> {
  const args = [...call.args];
  const roots: string[] = [];
  while (args.length > 0 && !/^[-!(]/.test(args[0] ?? '')) roots.push(args.shift() ?? '');
  const plan = new Plan(call, args);
  let code = 0;
  const visit = async (path: string, depth: number): Promise<void> => {
    try {
      const inode = await call.sys.stat(path, false);
      const entry = { path, inode, depth };
      const descend = async () => {
        if (inode.kind !== 'directory' || depth >= plan.maxDepth) return;
        for (const name of await call.sys.list(path))
          await visit(`${path.replace(/\/$/, '')}/${toBytes(name)}`, depth + 1);
      };
      if (plan.depthFirst) await descend();
      if (depth >= plan.minDepth) await plan.apply(entry);
      if (!plan.depthFirst && !plan.pruned.delete(path)) await descend();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await call.warn(`find: '${fromBytes(path)}': ${error.text}\n`);
      code = 1;
    }
  };
  for (const root of roots.length === 0 ? ['.'] : roots) await visit(root, 0);
  await plan.finish();
  return Math.max(code, plan.code);
}

class Plan {
  minDepth = 0;
  maxDepth = Number.POSITIVE_INFINITY;
  depthFirst = false;
  code = 0;
  readonly pruned = new Set<string>();
  readonly #call: Call;
  /** Alternatives, joined by -o, of tests and actions that are joined by -a. */
  readonly #alternatives: Test[][] = [[]];
  readonly #collected: { argv: readonly string[]; paths: string[] }[] = [];

  constructor(call: Call, args: readonly string[]) {
    this.#call = call;
    const rest = [...args];
    let acts = false;
    let negated = false;
    const value = () => rest.shift() ?? '';
    const add = (test: Test) => {
      const isNegated = negated;
      negated = false;
      this.#alternatives.at(-1)?.push(isNegated ? async (entry) => !(await test(entry)) : test);
    };
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
      switch (word) {
        case '!':
        case '-not':
          negated = !negated;
          break;
        case '-a':
        case '-and':
          break;
        case '-o':
        case '-or':
          this.#alternatives.push([]);
          break;
        case '-mindepth':
          this.minDepth = Number(value());
          break;
        case '-maxdepth':
          this.maxDepth = Number(value());
          break;
        case '-depth':
          this.depthFirst = true;
          break;
        case '-xdev':
        case '-mount':
          break;
        case '-name':
        case '-iname': {
          const pattern = value();
          const fold = (text: string) => (word === '-iname' ? text.toLowerCase() : text);
          add(({ path }) => matches(fold(pattern), fold(path.replace(/^.*\/(?=.)/, ''))));
          break;
        }
        case '-path': {
          const pattern = value();
          add(({ path }) => matches(pattern, path));
          break;
        }
        case '-type': {
          const kinds: Record<string, readonly string[]> = {
            f: ['file', 'generated'],
            d: ['directory'],
            l: ['link'],
            p: ['fifo'],
            s: ['socket'],
            c: ['device'],
          };
          const wanted = kinds[value()] ?? [];
          add(({ inode }) => wanted.includes(inode.kind));
          break;
        }
        case '-perm': {
          const [, sign, digits = ''] = /^([-/]?)([0-7]+)$/.exec(value()) ?? [];
          const bits = Number.parseInt(digits, 8);
          add(({ inode }) => {
            const set = inode.mode & 0o7777;
            if (sign === '/') return (set & bits) !== 0;
            return sign === '-' ? (set & bits) === bits : set === bits;
          });
          break;
        }
        case '-mmin':
        case '-mtime': {
          const compare = comparison(value());
          const unit = word === '-mmin' ? 60_000 : 86_400_000;
          add(({ inode }) => compare(Math.floor((Date.now() - inode.mtime.getTime()) / unit)));
          break;
        }
        case '-size': {
          const [, number = '', unit = 'b'] = /^([-+]?\d+)([bcwkMG]?)$/.exec(value()) ?? [];
          const units: Record<string, number> = { c: 1, w: 2, b: 512, k: 1024, M: 1024 ** 2, G: 1024 ** 3 };
          const compare = comparison(number);
          add(({ inode }) =>
            compare(
              Math.ceil((inode.kind === 'file' ? inode.content.length : 0) / (units[unit || 'b'] ?? 512)),
            ),
          );
          break;
        }
        case '-empty':
          add(({ inode }) =>
            inode.kind === 'file'
              ? inode.content.length === 0
              : inode.kind === 'directory' && inode.entries.size === 0,
          );
          break;
        case '-newer': {
          const reference = value();
          add(async ({ inode }) => inode.mtime > (await call.sys.stat(reference)).mtime);
          break;
        }
        case '-print':
        case '-print0':
          acts = true;
          add(async ({ path }) => {
            await call.printBytes(`${path}${word === '-print0' ? '\0' : '\n'}`);
            return true;
          });
          break;
        case '-prune':
          add(({ path }) => {
            this.pruned.add(path);
            return true;
          });
          break;
        case '-quit':
          break;
        case '-delete':
          acts = true;
          this.depthFirst = true;
          add(async ({ path }) => {
            await call.sys.remove(path);
            return true;
          });
          break;
        case '-exec': {
          acts = true;
          const end = rest.findIndex((each) => each === ';' || each === '+');
          if (end < 0) throw new Failure("missing argument to `-exec'");
          const argv = rest.splice(0, end + 1);
          const terminator = argv.pop();
          if (terminator === '+') {
            const collected = { argv: argv.slice(0, -1), paths: [] as string[] };
            this.#collected.push(collected);
            add(({ path }) => collected.paths.push(path) > 0);
          } else
            add(
              async ({ path }) =>
                (await call.wait(
                  spawn(
                    call.process,
                    argv.map((each) => each.replaceAll('{}', path)),
                  ),
                )) === 0,
            );
          break;
        }
        default:
          throw new Failure(`unknown predicate '${fromBytes(word)}'`);
      }
    }
    if (!acts)
      for (const tests of this.#alternatives)
        tests.push(async ({ path }) => {
          await call.printBytes(`${path}\n`);
          return true;
        });
  }

  async apply(entry: Entry): Promise<void> {
    for (const tests of this.#alternatives) {
      let holds = true;
      for (const test of tests) {
        if (await test(entry)) continue;
        holds = false;
        break;
      }
      if (holds) return;
    }
  }

  /** Runs the commands that `-exec … +` has collected. */
  async finish(): Promise<void> {
    for (const { argv, paths } of this.#collected) {
      if (paths.length === 0) continue;
      if ((await this.#call.wait(spawn(this.#call.process, [...argv, ...paths]))) !== 0) this.code = 1;
    }
  }
}

function comparison(text: string): (value: number) => boolean {
  const number = Number(text.replace(/^[-+]/, ''));
  return (value) =>
    text.startsWith('+') ? value > number : text.startsWith('-') ? value < number : value === number;
}
