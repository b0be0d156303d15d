import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../lib/errno.ts';
import { AppError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { policyOf } from './open-policy.ts';
import { type ParseOptions, type PolicyError, parsePolicy } from './parse-policy.ts';
import type { Policy } from './policy-types.ts';
import type { RuleSet } from './rules.ts';
import { watchDirectory } from './watch.ts';

/** A policy file that cannot be read or is invalid. */
export class InvalidPolicy extends AppError {
  readonly errors: readonly PolicyError[];

  constructor(file: string, errors: readonly PolicyError[]) {
    const problems = errors.map(({ line, column, problem }) => `${file}:${line}:${column}: ${problem}`);
    super(
      'POLICY_INVALID',
      `The policy file is invalid: ${problems.join('; ')}.`,
      `Correct the file, then check it with \`proxmox-mcp policy check ${file}\`.`,
    );
    this.errors = errors;
  }
}

/** A file is read only after it has not changed for this long, because half a file can be a valid policy, too. */
const SETTLED_MS = 100;

/** Reads the rules of a file. @throws InvalidPolicy */
export async function readRules(file: string, options: ParseOptions): Promise<RuleSet> {
  let text: string;
  try {
    const handle = await open(file, 'r');
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile());
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = errnoOf(error) ?? '';
    const problem = READ_FAULTS[code] ?? `the file cannot be read (${code})`;
    throw new InvalidPolicy(file, [{ line: 1, column: 1, problem }]);
  }
  const parsed = parsePolicy(text, options);
  if (!parsed.ok) throw new InvalidPolicy(file, parsed.errors);
  return parsed.set;
}

const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EACCES: 'the user who runs the server has no permission to read the file',
  EISDIR: 'the path is a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA:
    'the file is not UTF-8 (`>` in Windows PowerShell writes UTF-16); save it as UTF-8',
};

/**
 * The policy of a file. The file is read again when it changes: the directory is watched, and because not all file systems
 * support that, the file is also checked before every decision. While it is invalid or missing, the previous rules stay in force.
 * @throws InvalidPolicy if the file cannot be read or is invalid now
 */
export async function openPolicyFile(file: string, options: ParseOptions, logger: Logger): Promise<Policy> {
  let known = await stampOf(file);
  let rules = await readRules(file, options);
  const listeners = new Set<() => void>();
  let reading: Promise<void> | undefined;

  const readAgain = async (): Promise<void> => {
    await settled(file);
    known = await stampOf(file);
    try {
      rules = await readRules(file, options);
      logger.info({ file, rules: rules.rules.length }, 'policy reloaded');
      for (const listener of listeners) listener();
    } catch (error) {
      if (!(error instanceof InvalidPolicy)) throw error;
      logger.error({ file, errors: error.errors }, `${error.message} The previous rules stay in force.`);
    }
  };
  // One reload at a time: a call during a reload waits for it.
  const reload = (): Promise<void> => {
    reading ??= readAgain().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const refresh = async (): Promise<void> => {
    if (reading !== undefined || (await stampOf(file)) !== known) await reload();
  };
  const watcher = watchDirectory(path.dirname(file), () => void refresh());

  const policy = policyOf(() => rules);
  return {
    ...policy,
    decide: async (subject, read) => {
      await refresh();
      return policy.decide(subject, read);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh,
    reload,
    close: () => watcher.close(),
  };
}

/** A text that changes when the file is replaced or written; `missing` if there is no file. */
async function stampOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return 'missing';
  }
}

/** Waits until the file has not changed for a moment. Editors that replace a file remove it first. */
async function settled(file: string): Promise<void> {
  for (let before = await stampOf(file), tries = 0; tries < 10; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    const now = await stampOf(file);
    if (now === before) return;
    before = now;
  }
}
