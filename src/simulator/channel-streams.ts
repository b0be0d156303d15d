import type { Writable } from 'node:stream';
import type ssh2 from 'ssh2';
import { FileError } from './files/inode.ts';
import { OpenFile } from './kernel/open-file.ts';
import { Pipe } from './kernel/pipe.ts';
import type { Process } from './kernel/process.ts';
import { WaitQueue } from './kernel/wait-queue.ts';

/** When more bytes than this are unread, the client must wait. */
const HIGH_WATER_BYTES = 256 * 1024;

/** The data that a client sends on a channel, as the stdin of a process. */
export class ChannelInput extends OpenFile {
  readonly #channel: ssh2.ServerChannel;
  readonly #pipe = new Pipe();
  #ended = false;

  constructor(channel: ssh2.ServerChannel) {
    super('socket:[ssh]');
    this.#channel = channel;
    channel.on('data', (bytes: Buffer) => {
      this.#pipe.push(bytes);
      if (this.#pipe.size > HIGH_WATER_BYTES) channel.pause();
    });
    const end = () => {
      this.#ended = true;
      this.#pipe.changed.wake();
    };
    channel.on('end', end);
    channel.on('close', end);
  }

  async read(process: Process, max: number): Promise<Buffer> {
    await process.ready();
    while (this.#pipe.size === 0 && !this.#ended) await process.block(this.#pipe.changed);
    const piece = this.#pipe.take(max);
    if (this.#pipe.size <= HIGH_WATER_BYTES) this.#channel.resume();
    return piece;
  }

  async write(): Promise<void> {
    throw new FileError('EBADF', 'write', this.name);
  }

  unread(bytes: Buffer): void {
    this.#pipe.unshift(bytes);
  }

  /** No process reads from it: further data is discarded, so that the channel can be closed. */
  protected override close(): void {
    this.#channel.removeAllListeners('data');
    this.#channel.resume();
  }
}

/** One output stream of a channel, as the stdout or stderr of processes. */
export class ChannelOutput extends OpenFile {
  readonly #channel: ssh2.ServerChannel;
  readonly #stream: Writable;
  readonly #onClose: () => void;
  readonly #other: ChannelOutput | undefined;
  readonly #changed = new WaitQueue();
  #gone = false;
  #full = false;
  /** Writes for which the client has no room yet. */
  #pending = 0;

  /**
   * @param onClose called when the last process has closed the stream
   * @param other stdout, for stderr: ssh2 loses what is written to stderr while stdout waits for the client
   */
  constructor(channel: ssh2.ServerChannel, stream: Writable, onClose: () => void, other?: ChannelOutput) {
    super('socket:[ssh]');
    this.#channel = channel;
    this.#stream = stream;
    this.#onClose = onClose;
    this.#other = other;
    channel.on('close', () => {
      this.#gone = true;
      this.#changed.wake();
    });
    stream.on('drain', () => {
      this.#full = false;
      this.#changed.wake();
    });
  }

  async read(): Promise<Buffer> {
    throw new FileError('EBADF', 'read', this.name);
  }

  async write(process: Process, bytes: Buffer): Promise<void> {
    await process.ready();
    while (this.#full && !this.#gone) await process.block(this.#changed);
    const other = this.#other;
    while (other !== undefined && other.#pending > 0 && !this.#gone) await process.block(other.#changed);
    if (this.#gone || !this.#stream.writable) process.brokenPipe();
    if (bytes.length === 0) return;
    this.#pending += 1;
    const written = () => {
      this.#pending -= 1;
      this.#changed.wake();
    };
    if (!this.#stream.write(bytes, written)) this.#full = true;
  }

  unread(): void {}

  protected override close(): void {
    if (!this.#gone && this.#channel.writable) this.#onClose();
  }
}
