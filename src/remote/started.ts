import type { Readable } from 'node:stream';
import type { RemoteChannel } from '../ssh/ssh-types.ts';
import { FrameReader } from './protocol.ts';
import { onSilence } from './silence.ts';

/** The first result of a request in its own session. */
export type FirstFrame =
  | { readonly kind: 'started' }
  /** The precondition failed; nothing was run. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The session closed normally without having started anything; another session may be tried. */
  | { readonly kind: 'closed' }
  /** The connection was lost: the request may have started or not. */
  | { readonly kind: 'disconnected' }
  /** The SSH server sends nothing any more, not even answers to keepalive requests: the request may have started or not. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'timeout' | 'aborted' };

/**
 * Waits until `started` has arrived on both streams, and removes it with the output before it. The rest of both streams is left
 * as if it had not been read.
 */
export function passStarted(
  channel: RemoteChannel,
  nonce: string,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<FirstFrame> {
  return new Promise((resolve) => {
    let started = 0;
    const stops: (() => void)[] = [];
    let timer: NodeJS.Timeout | undefined;
    const settle = (first: FirstFrame) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      for (const stop of stops.splice(0)) stop();
      resolve(first);
    };
    const onAbort = () => settle({ kind: 'aborted' });
    for (const stream of [channel.stdout, channel.stderr]) {
      stops.push(
        onFirstFrame(stream, nonce, (word, why) => {
          if (word === 'refused') return settle({ kind: 'refused', why });
          started++;
          if (started === 2) settle({ kind: 'started' });
        }),
      );
    }
    // After a pause of this process, the answer may be waiting in the socket.
    timer = setTimeout(() => setImmediate(() => settle({ kind: 'timeout' })), limitMs);
    stops.push(onSilence(channel.connection, () => settle({ kind: 'silent' })));
    signal?.addEventListener('abort', onAbort, { once: true });
    const ended = () => {
      void Promise.race([channel.closed, waitALittle()]).then((end) => {
        settle({
          kind: end?.reason === 'disconnected' ? 'disconnected' : started > 0 ? 'started' : 'closed',
        });
      });
    };
    void channel.exited.then(() => setImmediate(ended));
    if (signal?.aborted) onAbort();
  });
}

/** Not `closed`, which resolves only when both streams have been read to their end. */
function waitALittle(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, 20, undefined);
  });
}

/** Calls back at the first frame, and puts back the data after it. @returns a function that stops it */
function onFirstFrame(
  stream: Readable,
  nonce: string,
  found: (word: string, why: string) => void,
): () => void {
  const reader = new FrameReader(nonce, ['started', 'refused']);
  const stop = () => void stream.off('readable', listen);
  const listen = () => {
    for (let chunk: Buffer | null = stream.read(); chunk !== null; chunk = stream.read()) {
      const frames = reader.push(chunk);
      const at = frames.findIndex(({ kind }) => kind === 'frame');
      const frame = frames[at];
      if (frame?.kind !== 'frame') continue;
      const rest = [...frames.slice(at + 1), ...reader.end()].flatMap((each) =>
        each.kind === 'text' ? [each.bytes] : [],
      );
      stop();
      if (rest.length > 0) stream.unshift(Buffer.concat(rest));
      found(frame.word, frame.fields[0] ?? '');
      return;
    }
  };
  stream.on('readable', listen);
  listen();
  return stop;
}
