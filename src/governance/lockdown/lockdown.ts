// Not node:fs/promises: the start of every server would load it, which takes 4 ms.
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../lib/atomic-file.ts';
import { hasErrno } from '../../lib/errno.ts';
import { AppError } from '../../lib/errors.ts';
import { ensurePrivateDir } from '../../lib/private-files.ts';

/** Every call that changes something is refused. */
export interface Lockdown {
  /** By the wall clock, ms; null: until it is lifted, or the file cannot be read. */
  readonly until: number | null;
}

/** On the node. Only root may write both: pmxcfs replicates the first to all nodes, and the second counts while pmxcfs hangs. */
export const NODE_LOCKDOWN_FILES = {
  cluster: '/etc/pve/proxmox-mcp.lockdown',
  node: '/run/proxmox-mcp/lockdown',
} as const;

const UNTIL_LIFTED = 'until lifted';

/** The text of the file, here and on the node: seconds since the epoch, or that there is no end. */
export function lockdownText({ until }: Lockdown): string {
  return until === null ? UNTIL_LIFTED : String(Math.ceil(until / 1000));
}

/** The file in STATE_DIR that locks down the servers of this machine. It is read at each call that it could refuse. */
export class LockdownFile {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = path.join(stateDir, 'lockdown');
  }

  /** undefined: calls are not locked down. A file that cannot be read, or says something else, locks down. */
  async read(now = Date.now()): Promise<Lockdown | undefined> {
    let text: string;
    try {
      text = (await fs.readFile(this.#file, 'utf8')).trim();
    } catch (error) {
      return hasErrno(error, 'ENOENT') ? undefined : { until: null };
    }
    if (!/^\d{1,12}$/.test(text)) return { until: null };
    const until = Number(text) * 1000;
    return until > now ? { until } : undefined;
  }

  /** @throws what the file system reports */
  async write(lockdown: Lockdown): Promise<void> {
    await ensurePrivateDir(path.dirname(this.#file));
    await writeFileAtomically(this.#file, `${lockdownText(lockdown)}\n`, 0o600);
  }

  /** @throws what the file system reports */
  async lift(): Promise<void> {
    await fs.rm(this.#file, { force: true });
  }
}

export function lockedDown(tool: string, { until }: Lockdown): AppError {
  const end = until === null ? 'until the operator lifts it' : `until ${new Date(until).toISOString()}`;
  return new AppError(
    'LOCKED_DOWN',
    `${tool} is refused: the operator has locked this server down, ${end}. Only tools that change nothing run. The call was not executed.`,
    'Tell your user. The operator lifts it with `proxmox-mcp lockdown --off`.',
  );
}
