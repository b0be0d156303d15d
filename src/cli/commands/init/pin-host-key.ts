import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AppError } from '../../../lib/errors.ts';
import { pinHostKey, type SeenHostKey } from '../../../ssh/host-keys.ts';
import { decodeKnownHosts } from '../../../ssh/known-hosts.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { connectOnce, type SeenWhileConnecting } from '../doctor/session-check.ts';

/** Host keys that the user has confirmed and that are not pinned yet. They are kept in a temporary known_hosts file. */
export class ConfirmedKeys {
  readonly #dir: string;
  readonly #keys: { readonly file: string; readonly seen: SeenHostKey }[] = [];

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async create(): Promise<ConfirmedKeys> {
    return new ConfirmedKeys(await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-init-')));
  }

  get #file(): string {
    return path.join(this.#dir, 'known_hosts');
  }

  /** The text of a check, without the path of the temporary file. */
  retell(detail: string): string {
    return detail.includes(this.#dir) ? detail.replace(/, pinned in .*/, ', confirmed') : detail;
  }

  /** The target and its jump hosts, so that they accept confirmed keys and no other unknown keys. */
  apply(target: SshTarget): SshTarget {
    return {
      ...target,
      hostKeyPolicy: 'strict',
      knownHostsFiles: [...target.knownHostsFiles, this.#file],
      jumps: target.jumps.map((jump) => this.apply(jump)),
    };
  }

  /**
   * Connects repeatedly until every host key is known, and asks for confirmation of each unknown one. Does not log in to the
   * target.
   * @param confirm asks the user to confirm a key
   * @param during runs each attempt to connect, for example to show that it runs
   * @returns the host key of the target
   * @throws AppError if a server cannot be reached, has changed its key, or its key was not confirmed
   */
  async confirmAll(
    target: SshTarget,
    confirm: (seen: SeenHostKey, server: SshTarget) => Promise<boolean>,
    signal: AbortSignal,
    during: (connect: () => Promise<unknown>) => Promise<unknown> = (connect) => connect(),
  ): Promise<SeenHostKey | undefined> {
    for (;;) {
      const connection: SeenWhileConnecting = { hostKeys: [], logins: [] };
      const bare = withoutLogin(this.apply(target));
      const error = await during(() => connectOnce(bare, connection, signal).then((c) => c.close())).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      const last = connection.hostKeys.at(-1);
      if (!(error instanceof AppError)) return last?.seen;
      if (error.code !== 'HOST_KEY_UNKNOWN' || last === undefined) {
        // The key is known, and the login fails as expected, because there are no credentials.
        const reached =
          last !== undefined && sameServer(last.target, target) && last.seen.verdict === 'known';
        if (reached && /^SSH_(AUTH|KEY)/.test(error.code)) return last.seen;
        throw error;
      }
      if (!(await confirm(last.seen, last.target))) throw error;
      await pinHostKey(this.#file, last.seen.name, last.seen.key);
      const original = [target, ...target.jumps].find((each) => sameServer(each, last.target)) ?? target;
      this.#keys.push({ file: original.knownHostsWriteFile, seen: last.seen });
    }
  }

  /** The lines that `pin` adds, by file. */
  get lines(): readonly { readonly file: string; readonly line: string }[] {
    return this.#keys.map(({ file, seen }) => ({
      file,
      line: `${seen.name} ${seen.type} ${seen.key.toString('base64')}`,
    }));
  }

  /** Pins the confirmed keys in the known_hosts file of each server. @returns the files */
  async pin(): Promise<readonly string[]> {
    for (const { file, seen } of this.#keys) await pinHostKey(file, seen.name, seen.key);
    return [...new Set(this.#keys.map(({ file }) => file))];
  }

  /** Removes the lines that `pin` added. */
  async unpin(): Promise<void> {
    for (const { file, line } of this.lines) await removeLine(file, line);
  }

  async dispose(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** Removes a line from a file wherever it occurs. A file that is then empty is deleted. */
export async function removeLine(file: string, line: string): Promise<void> {
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return;
  const kept = decodeKnownHosts(bytes)
    .split('\n')
    .filter((each) => each !== line);
  if (kept.every((each) => each.trim() === '')) await rm(file, { force: true });
  else await writeFile(file, kept.join('\n'));
}

function withoutLogin({ password: _, agent: __, ...target }: SshTarget): SshTarget {
  return { ...target, identityFiles: [] };
}

function sameServer(one: SshTarget, other: SshTarget): boolean {
  return one.host === other.host && one.port === other.port;
}
