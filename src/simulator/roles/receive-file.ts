import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { Access } from '../files/access.ts';
import type { FileInode } from '../files/inode.ts';
import { idOf } from '../programs/files.ts';
import { ByteSource } from './byte-source.ts';
import { Dialog, Refusal, refusing } from './dialog.ts';
import { type Start, untilDeath } from './start.ts';

/**
 * Receives a file on stdin and publishes it at once or not at all. $1 nonce, $2 destination, $3 size, $4 mode, $5 owner,
 * $6 group, $7 1 to overwrite, $8 name of the temporary file, $9 mode of a new file. Says "ready LENGTH" and the destination, "done SIZE
 * SHA256", and, when the sender has answered with the nonce, "published MODE replaced?".
 */
export function receiveFile(start: Start, args: readonly string[]): Promise<number> {
  const [nonce = '', ...rest] = args;
  const dialog = new Dialog(start, nonce);
  const receipt = new Receipt(start, rest);
  start.process.onSignal = (signal) => {
    if (!['HUP', 'INT', 'TERM', 'PIPE'].includes(signal)) return false;
    receipt.discard();
    return false;
  };
  return untilDeath(
    start.process,
    dialog.run(async () => {
      try {
        dialog.requireTools();
        receipt.prepare();
        await dialog.say(`ready ${Buffer.byteLength(receipt.destination)}`);
        await start.streams.stdout.write(receipt.destination);
        const input = new ByteSource(start.streams.stdin);
        await receipt.take(input, () => dialog.unfrozen());
        await dialog.say(`done ${receipt.size} ${receipt.sha256()}`);
        if ((await input.line()) !== nonce) return 0;
        receipt.publish();
        await dialog.say(`published ${receipt.mode()} ${receipt.replaced ? 'replaced' : ''}`);
        return 0;
      } finally {
        receipt.discard();
      }
    }),
  );
}

/** The temporary file beside the destination, and the destination. */
class Receipt {
  readonly size: number;
  destination: string;
  replaced = false;
  readonly #start: Start;
  readonly #permissions: string;
  readonly #owner: string;
  readonly #group: string;
  readonly #overwrite: boolean;
  readonly #name: string;
  readonly #newMode: string;
  #part: string | undefined;
  #inode: FileInode | undefined;
  #old: { mode: number; uid: number; gid: number } | undefined;

  constructor(start: Start, args: readonly string[]) {
    const [
      destination = '',
      size = '0',
      permissions = '',
      owner = '',
      group = '',
      overwrite = '',
      name = '',
      newMode = '644',
    ] = args;
    this.#start = start;
    this.destination = destination;
    this.size = Number(size);
    this.#permissions = permissions;
    this.#owner = owner;
    this.#group = group;
    this.#overwrite = overwrite === '1';
    this.#name = name;
    this.#newMode = newMode;
  }

  get #files() {
    return this.#start.machine.files;
  }

  /** All refusals come before anything is written. */
  prepare(): void {
    const files = this.#files;
    if (files.find(this.destination, false)?.kind === 'link') {
      try {
        this.destination = files.resolve(this.destination);
      } catch {
        throw new Refusal('DIRECTORY_NOT_FOUND', 'the target of the link has no directory');
      }
    }
    const existing = files.find(this.destination);
    if (existing?.kind === 'directory') throw new Refusal('IS_A_DIRECTORY', this.destination);
    const directory = posix.dirname(this.destination);
    if (files.find(directory)?.kind !== 'directory') throw new Refusal('DIRECTORY_NOT_FOUND', directory);
    if (existing) {
      if (existing.kind === 'generated')
        throw new Refusal('IO', `cannot create ${directory}/${this.#name}: Permission denied`);
      if (existing.kind !== 'file') throw new Refusal('NOT_A_REGULAR_FILE', this.destination);
      if (!this.#overwrite) throw new Refusal('FILE_EXISTS', this.destination);
      this.#old = { mode: existing.mode & 0o7777, uid: existing.uid, gid: existing.gid };
    }
    if (Buffer.byteLength(posix.basename(this.destination)) > 255) this.#tooLong = true;
    const part = posix.join(directory, this.#name);
    const access = new Access(files, this.#start.uid);
    this.#inode = refusing(() => {
      access.requireChange(part);
      return files.createFile(part, 0o600);
    }, `cannot create ${part}`);
    access.own(part);
    this.#part = part;
  }

  #tooLong = false;

  async take(input: ByteSource, ready: () => Promise<void>): Promise<void> {
    const inode = this.#inode;
    const part = this.#part;
    if (!inode || part === undefined) return;
    // Grown in powers of two: adding each piece to a copy of what is there would cost the square of the size.
    let room = Buffer.alloc(0);
    let got = 0;
    while (got < this.size) {
      const piece = await input.some(this.size - got);
      await ready();
      if (piece === null) throw new Refusal('SHORT', String(got));
      if (got + piece.length > room.length) {
        const larger = Buffer.alloc(Math.min(this.size, Math.max(65_536, 2 * (got + piece.length))));
        room.copy(larger, 0, 0, got);
        room = larger;
      }
      piece.copy(room, got);
      got += piece.length;
      const { volume } = inode;
      if (volume.size > 0 && volume.base + volume.used + got - inode.content.length > volume.size) {
        throw new Refusal('FULL', 'head: write error: No space left on device');
      }
      volume.used += got - inode.content.length;
      inode.content = room.subarray(0, got);
    }
  }

  sha256(): string {
    return createHash('sha256')
      .update(this.#inode?.content ?? '')
      .digest('hex');
  }

  /** Sets owner and mode, then gives the file its place in one step. */
  publish(): void {
    const inode = this.#inode;
    const part = this.#part;
    const files = this.#files;
    if (!inode || part === undefined) return;
    if (this.#old) Object.assign(inode, { uid: this.#old.uid, gid: this.#old.gid });
    try {
      if (this.#owner !== '') inode.uid = idOf(this.#start.machine, 'passwd', this.#owner);
      if (this.#group !== '') inode.gid = idOf(this.#start.machine, 'group', this.#group);
    } catch (error) {
      throw new Refusal('OWNER', `chown: ${error instanceof Error ? error.message : ''}`);
    }
    inode.mode =
      this.#permissions === '' && this.#old !== undefined
        ? this.#old.mode
        : Number.parseInt(this.#permissions || this.#newMode, 8);
    if (this.#tooLong) throw new Refusal('IO', `mv: cannot move '${part}': File name too long`);
    if (files.find(this.destination)?.kind === 'directory')
      throw new Refusal('IS_A_DIRECTORY', this.destination);
    if (!this.#overwrite && files.find(this.destination, false))
      throw new Refusal('FILE_EXISTS', this.destination);
    refusing(() => files.rename(part, this.destination), 'mv');
    this.replaced = this.#old !== undefined;
    this.#part = undefined;
  }

  mode(): string {
    return ((this.#inode?.mode ?? 0) & 0o7777).toString(8);
  }

  discard(): void {
    const part = this.#part;
    this.#part = undefined;
    if (part !== undefined && this.#files.find(part, false)) this.#files.remove(part);
  }
}
