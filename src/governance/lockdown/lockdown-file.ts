// Not node:fs/promises: loading it takes 4 ms of the server's start.
import { promises as fs, statSync } from 'node:fs';
import path from 'node:path';
import { hasErrno } from '../../lib/errno.ts';
import { AppError } from '../../lib/errors.ts';
import { ensurePrivateDir } from '../../lib/private-files.ts';

/** A lockdown: every call that changes something is refused. */
export interface Lockdown {
  /** Wall clock, ms; null: until it is lifted, or because the file cannot be read. */
  readonly until: number | null;
}

/** The files on the node, which only root may write. pmxcfs replicates `cluster` to all nodes; `node` applies while pmxcfs hangs. */
export const NODE_LOCKDOWN_FILES = {
  cluster: '/etc/pve/proxmox-mcp.lockdown',
  node: '/run/proxmox-mcp/lockdown',
} as const;

const UNTIL_LIFTED = 'until lifted';

/** The content of the file, in STATE_DIR and on the node: seconds since the epoch, or a word for "no end". */
export function lockdownText({ until }: Lockdown): string {
  return until === null ? UNTIL_LIFTED : String(Math.ceil(until / 1000));
}

/** The file in STATE_DIR that locks down the servers on this machine. Read before each call that it could refuse. */
export class LockdownFile {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = path.join(stateDir, 'lockdown');
  }

  /** undefined: no lockdown. A file that cannot be read, or has other content, counts as a lockdown. */
  async read(now = Date.now()): Promise<Lockdown | undefined> {
    let text: string;
    try {
      // Checked synchronously, because the thread pool would take a hundred times as long, and most often there is no lockdown.
      if (statSync(this.#file, { throwIfNoEntry: false }) === undefined) return undefined;
      text = (await fs.readFile(this.#file, 'utf8')).trim();
    } catch (error) {
      return hasErrno(error, 'ENOENT') ? undefined : { until: null };
    }
    if (!/^\d{1,12}$/.test(text)) return { until: null };
    const until = Number(text) * 1000;
    return until > now ? { until } : undefined;
  }

  /** @throws errors of the file system */
  async write(lockdown: Lockdown): Promise<void> {
    // Loaded only here, because it loads node:crypto.
    const { writeFileAtomically } = await import('../../lib/atomic-file.ts');
    await ensurePrivateDir(path.dirname(this.#file));
    await writeFileAtomically(this.#file, `${lockdownText(lockdown)}\n`, 0o600);
  }

  /** @throws errors of the file system */
  async lift(): Promise<void> {
    await fs.rm(this.#file, { force: true });
  }
}

/** What to do about a call that a lockdown refuses. */
export const LOCKDOWN_HINT = {
  model: 'Do not work around this. Tell the user that a lockdown is in force.',
  person: 'Lift the lockdown with `proxmox-mcp lockdown --off`.',
} as const;

export function lockedDown(tool: string, { until }: Lockdown): AppError {
  const end = until === null ? 'until the operator lifts it' : `until ${new Date(until).toISOString()}`;
  return new AppError(
    'LOCKED_DOWN',
    `The operator has locked this server down ${end}, so ${tool} is refused: only read-only tools run. The call was not executed.`,
    LOCKDOWN_HINT,
  );
}
