import fs from 'node:fs';
import path from 'node:path';
import SSHConfig, { glob, type Line, LineType } from 'ssh-config';
import { decodeText } from '../lib/decode-text.ts';
import { absolutePath, type HostEnvironment, systemSshDirOf } from './host-environment.ts';
import { statOf } from './path-formats.ts';

/** The ssh_config values for one host, by lower-case keyword. Keywords that may be repeated have all their values. */
export type HostEntry = Readonly<Record<string, readonly string[] | undefined>>;

/** Maximum depth of nested includes, the same as in OpenSSH. */
const MAX_INCLUDE_DEPTH = 16;

/** A configuration file and the directory for its relative includes. */
interface ConfigFile {
  readonly lines: readonly Line[];
  readonly dir: string;
}

/**
 * Reads ~/.ssh/config and the system-wide ssh_config with their includes. As in OpenSSH, the first value applies, and ~/.ssh/config
 * comes first. A missing or invalid file counts as empty; `warn` is called with the reason.
 */
export class SshConfigFile {
  readonly #at: HostEnvironment;
  readonly #warn: (message: string) => void;
  readonly #user: ConfigFile;
  readonly #system: ConfigFile;
  readonly #files = new Set<string>();

  constructor(at: HostEnvironment, warn: (message: string) => void) {
    this.#at = at;
    this.#warn = warn;
    this.#user = this.#open(path.join(at.home, '.ssh'), 'config');
    this.#system = this.#open(systemSshDirOf(at), 'ssh_config');
  }

  #open(dir: string, name: string): ConfigFile {
    return { lines: this.#read(path.join(dir, name)), dir };
  }

  /**
   * The values for a host. Runs no commands.
   * @param execHolds whether `Match exec` counts as true
   */
  lookUp(host: string, execHolds = false): HostEntry {
    const config = new SSHConfig();
    for (const { lines, dir } of [this.#user, this.#system]) {
      config.push(...this.#select(lines, host, dir, 0).map((line) => (execHolds ? withoutExec(line) : line)));
    }
    // See also `#select`.
    const computed = config.compute(host, { ignoreCase: true, matchExec: false });
    return Object.fromEntries(
      Object.entries(computed).map(([key, value]) => [key, Array.isArray(value) ? value : [value]]),
    );
  }

  /** The host aliases in ~/.ssh/config, in order, without patterns. */
  aliases(): readonly string[] {
    return [...new Set(this.#aliasesOf(this.#user.lines, 0))];
  }

  /** The files that it consists of, absolute. */
  filesRead(): readonly string[] {
    this.aliases(); // reads every file that is included
    return [...this.#files];
  }

  #aliasesOf(lines: readonly Line[], depth: number): string[] {
    return lines.flatMap((line): string[] => {
      if (line.type !== LineType.DIRECTIVE) return [];
      const keyword = line.param.toLowerCase();
      const inner = 'config' in line ? this.#aliasesOf(line.config, depth) : [];
      if (keyword === 'host') return [...valuesOf(line).filter((name) => !/[*?!]/.test(name)), ...inner];
      if (keyword !== 'include' || depth >= MAX_INCLUDE_DEPTH) return inner;
      return this.#included(valuesOf(line), this.#user.dir).flatMap((file) =>
        this.#aliasesOf(this.#read(file), depth + 1),
      );
    });
  }

  /**
   * The lines that apply to `host`, with includes expanded. An include in a `Host` section that does not match is skipped. The
   * lines of a section after an include stay in that section.
   */
  #select(lines: readonly Line[], host: string, dir: string, depth: number): Line[] {
    return lines.flatMap((line): Line[] => {
      if (line.type !== LineType.DIRECTIVE) return [];
      const keyword = line.param.toLowerCase();
      if (keyword === 'include') return this.#include(valuesOf(line), host, dir, depth);
      // Skipped, because the library would run nslookup to canonicalize a name.
      if (keyword.startsWith('canonical')) return [];
      if (!('config' in line)) return [{ ...line, param: CASE[keyword] ?? line.param }];
      if (keyword === 'host' && !glob([...valuesOf(line)], host)) return [];
      const pieces: Line[] = [];
      let rest: Line[] = [];
      const closePiece = (): void => {
        const config = new SSHConfig();
        config.push(...rest);
        pieces.push({ ...line, config });
        rest = [];
      };
      for (const inner of this.#select(line.config, host, dir, depth)) {
        if ('config' in inner) {
          // The library evaluates Match, and it does not support nested sections.
          if (keyword === 'match' && valuesOf(line)[0]?.toLowerCase() !== 'all') {
            this.#warn(
              '~/.ssh/config: Host sections of a file that is included in a Match section are ignored',
            );
            continue;
          }
          closePiece();
          pieces.push(inner);
        } else {
          rest.push(inner);
        }
      }
      closePiece();
      return pieces;
    });
  }

  #include(patterns: readonly string[], host: string, dir: string, depth: number): Line[] {
    if (depth >= MAX_INCLUDE_DEPTH) {
      this.#warn('~/.ssh/config: includes are nested too deeply; the rest is ignored');
      return [];
    }
    return this.#included(patterns, dir).flatMap((file) =>
      this.#select(this.#read(file), host, dir, depth + 1),
    );
  }

  #included(patterns: readonly string[], dir: string): readonly string[] {
    const base = { ...this.#at, cwd: dir };
    return patterns.flatMap((pattern) => expandPattern(absolutePath(base, pattern)));
  }

  #read(file: string): readonly Line[] {
    if (!statOf(file)?.isFile()) return [];
    this.#files.add(file);
    try {
      return SSHConfig.parse(decodeText(fs.readFileSync(file)));
    } catch (error) {
      this.#warn(`${file} is ignored: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  }
}

/** A `Match` line without `exec` among its criteria. */
function withoutExec(line: Line): Line {
  if (!('criteria' in line)) return line;
  const kept = Object.entries(line.criteria).filter(([name]) => !/^!?exec$/i.test(name));
  return { ...line, criteria: Object.fromEntries(kept) };
}

/** Keywords that the library needs in this spelling to evaluate `Match`. */
const CASE: Readonly<Record<string, string>> = { hostname: 'HostName', user: 'User' };

function valuesOf(line: Extract<Line, { param: string }>): readonly string[] {
  return typeof line.value === 'string' ? [line.value] : line.value.map(({ val }) => val);
}

/** The files that match a pattern. `*` and `?` are supported only in the last component (`config.d/*`). */
function expandPattern(pattern: string): readonly string[] {
  const name = path.basename(pattern);
  if (!/[*?]/.test(name)) return [pattern];
  const dir = path.dirname(pattern);
  try {
    const names = fs.readdirSync(dir).filter((each) => !each.startsWith('.') && glob([name], each));
    return names.sort().map((each) => path.join(dir, each));
  } catch {
    return [];
  }
}
