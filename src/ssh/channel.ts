import { Readable, Writable } from 'node:stream';
import type ssh2 from 'ssh2';
import { collectRecentGarbage } from '../lib/collect-garbage.ts';
import type { ChannelConnection, ChannelEnd, ExitStatus, RemoteChannel } from './ssh-types.ts';

/** After so much output, the buffers of its packets are collected: a gigabyte of it needs no more memory than a megabyte. */
const COLLECT_BYTES = 2 * 1024 * 1024;

/** A {@link RemoteChannel} as its connection sees it. */
export interface ChannelHandle {
  readonly channel: RemoteChannel;
  /** The connection was lost: settles everything at once. Data that has arrived can still be read. */
  disconnected(): void;
}

/**
 * Wraps one ssh2 channel on which a command has been started.
 *
 * ssh2's channel is one Duplex for stdin and stdout. It never calls the callback of a write that was pending at a close,
 * and it closes the channel when the reader of stdout has finished. Separate streams for each direction avoid both.
 *
 * @param onFree called once, when sshd has closed the channel and no longer counts the session.
 */
export function wrapChannel(
  raw: ssh2.ClientChannel,
  connection: ChannelConnection,
  onFree: () => void,
): ChannelHandle {
  const exited = deferred<ExitStatus>();
  const closed = deferred<ChannelEnd>();
  let status: ExitStatus = { code: null, signal: null };
  let over = false;
  let closeRequested = false;

  const stdin = new Stdin(raw);
  const stdout = relay(raw);
  const stderr = relay(raw.stderr);

  const settle = (reason: ChannelEnd['reason']) => {
    if (over) return;
    over = true;
    stdin.destroy();
    exited.resolve(status);
    closed.resolve({ ...status, reason });
  };

  raw.on('exit', (code: number | null, signal?: string) => {
    status = { code: code ?? null, signal: signal?.replace(/^SIG/, '') ?? null };
    exited.resolve(status);
  });
  raw.on('close', () => {
    onFree();
    stdin.destroy();
    exited.resolve(status);
    if (closeRequested) settle('closed');
    else Promise.all([ended(stdout), ended(stderr)]).then(() => settle('closed'));
  });
  raw.on('error', () => {});
  raw.stderr.on('error', () => {});

  return {
    channel: {
      connection,
      stdin,
      stdout,
      stderr,
      exited: exited.promise,
      closed: closed.promise,
      close() {
        if (closeRequested) return;
        closeRequested = true;
        stdin.destroy();
        // sshd confirms the close after all data that it has already sent. That data is read and discarded.
        for (const stream of [stdout, stderr]) if (!stream.readableEnded) stream.destroy();
        raw.close();
      },
    },
    disconnected: () => settle('disconnected'),
  };
}

/** A stream with the data and the backpressure of `source`. After it is destroyed, further data is discarded. */
function relay(source: Readable): Readable {
  const view = new Readable({
    highWaterMark: 256 * 1024,
    read: () => {
      source.resume();
    },
    destroy(error, callback) {
      source.resume();
      callback(error);
    },
  });
  let received = 0;
  source.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received >= COLLECT_BYTES) {
      received = 0;
      collectRecentGarbage();
    }
    if (!view.destroyed && !view.push(chunk)) source.pause();
  });
  source.on('end', () => {
    if (!view.destroyed) view.push(null);
  });
  view.on('error', () => {});
  return view;
}

/** Resolves when the stream has been read to its end or was destroyed. */
function ended(stream: Readable): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('end', resolve);
    stream.once('close', resolve);
  });
}

/** stdin of the command. A write that is pending when the channel ends fails, like a write to a pipe without a reader. */
class Stdin extends Writable {
  readonly #raw: ssh2.ClientChannel;
  #pending: ((error: Error) => void) | null = null;

  constructor(raw: ssh2.ClientChannel) {
    super({ highWaterMark: 256 * 1024 });
    this.#raw = raw;
    this.on('error', () => {});
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#pending = callback;
    this.#raw.write(chunk, (error) => {
      this.#pending = null;
      callback(error);
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#raw.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const pending = this.#pending;
    this.#pending = null;
    callback(error);
    pending?.(new Error('the command has closed its stdin'));
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((r) => {
    resolve = r;
  });
  return { promise, resolve };
}
