import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../lib/errno.ts';
import { AppError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { policyOf } from './open-policy.ts';
import { type ParseOptions, type PolicyFault, parsePolicy } from './parse-policy.ts';
import type { Policy } from './policy-types.ts';
import type { RuleSet } from './rules.ts';
import { watchDirectory } from './watch.ts';

/** A policy file that cannot be used. */
export class PolicyFaults extends AppError {
  readonly faults: readonly PolicyFault[];

  constructor(file: string, faults: readonly PolicyFault[]) {
    const told = faults.map(({ line, column, problem }) => `${file}:${line}:${column}: ${problem}`);
    super(
      'POLICY_INVALID',
      `The policy cannot be used: ${told.join('; ')}.`,
      `Correct it; \`proxmox-mcp policy check ${file}\` says when it is right.`,
    );
    this.faults = faults;
  }
}

/** A file that changed this lately may still be being written; half of it could be a policy, too. */
const SETTLED_MS = 100;

/** Reads the rules of a file. @throws PolicyFaults */
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
    throw new PolicyFaults(file, [{ line: 1, column: 1, problem }]);
  }
  const parsed = parsePolicy(text, options);
  if (!parsed.ok) throw new PolicyFaults(file, parsed.faults);
  return parsed.set;
}

const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EACCES: 'the file may not be read by this user',
  EISDIR: 'it is a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA:
    'the file is not UTF-8 text; Windows PowerShell writes UTF-16 with `>`, so save it as UTF-8',
};

/**
 * The policy of a file. It is read again when the file changes, which the system tells, and which is looked for at every
 * decision as well, since not all file systems tell. While the file is faulty or gone, the rules that held hold on.
 * @throws PolicyFaults when it cannot be used now
 */
export async function openPolicyFile(file: string, options: ParseOptions, logger: Logger): Promise<Policy> {
  let seen = await stampOf(file);
  let rules = await readRules(file, options);
  const listeners = new Set<() => void>();
  let reading: Promise<void> | undefined;

  const readAgain = async (): Promise<void> => {
    await settled(file);
    seen = await stampOf(file);
    try {
      rules = await readRules(file, options);
      logger.info({ file, rules: rules.rules.length }, 'policy read again');
      for (const listener of listeners) listener();
    } catch (error) {
      if (!(error instanceof PolicyFaults)) throw error;
      logger.error({ file, faults: error.faults }, `${error.message} The rules from before still hold.`);
    }
  };
  // One at a time, and whoever asks meanwhile waits for the same.
  const reload = (): Promise<void> => {
    reading ??= readAgain().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const refresh = async (): Promise<void> => {
    if (reading !== undefined || (await stampOf(file)) !== seen) await reload();
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

/** Different whenever the file is another one or was written; `gone` when it is not there. */
async function stampOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return 'gone';
  }
}

/** Waits until nobody has written for a moment; an editor that replaces the file takes it away first. */
async function settled(file: string): Promise<void> {
  for (let before = await stampOf(file), tries = 0; tries < 10; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    const now = await stampOf(file);
    if (now === before) return;
    before = now;
  }
}
