import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import type ssh2 from 'ssh2';
import { AppError, messageOf } from '../lib/errors.ts';
import { type Login, prepareLogin } from './auth.ts';
import { noWayThrough, unreachable } from './connect-errors.ts';
import { type HostKeyCheck, loadHostKeyCheck, type SeenHostKey } from './host-keys.ts';
import type { SshLogger } from './logger.ts';
import { LoginWait, type LoginWaitOptions } from './login-wait.ts';
import type { SshTarget } from './ssh-types.ts';

/** Hears what else is learnt on the way, hop by hop, for those who have to explain it to a person. */
export interface DialObserver {
  /** The server has shown this key; it has proved that it owns it unless the key was refused. */
  hostKey(target: SshTarget, seen: SeenHostKey): void;
  /** @param method what was accepted, in words: `key file …`, `password`. */
  login(target: SshTarget, method: string): void;
}

export interface ConnectOptions extends LoginWaitOptions {
  readonly logger: SshLogger;
  /** How often the peer is asked for a sign of life, in ms. */
  readonly keepaliveMs: number;
  /** Gives up. */
  readonly signal: AbortSignal;
  readonly observer?: DialObserver;
}

/** A logged-in client and the stream that it runs over. */
export interface SshConnectionHandle {
  readonly client: ssh2.Client;
  readonly stream: Duplex;
  /** Drops the connection at once, with the hops on the way; the client emits `close`. */
  destroy(): void;
}

interface Hop {
  readonly client: ssh2.Client;
  readonly stream: Duplex;
  readonly target: SshTarget;
}

/**
 * Connects and logs in to `target`, hop by hop through its jumps, each with its own host key check.
 *
 * @throws AppError SSH_UNREACHABLE, SSH_AUTH_FAILED, SSH_KEY_UNUSABLE, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED.
 */
export async function connect(target: SshTarget, options: ConnectOptions): Promise<SshConnectionHandle> {
  // Loaded when first needed: it costs 40 to 50 ms that a start of the server should not.
  const { default: lib } = await import('ssh2');
  const way: Hop[] = [];
  const destroy = () => {
    // The first hop carries the others; a stream through a hop that hangs could not be closed in order.
    for (const hop of way) hop.stream.destroy();
  };
  try {
    for (const hop of [...target.jumps, target]) way.push(await logIn(lib, hop, way.at(-1), options));
  } catch (error) {
    destroy();
    throw error;
  }
  const last = way.at(-1);
  if (!last) throw new Error('a way has at least one hop');
  return { client: last.client, stream: last.stream, destroy };
}

async function logIn(
  lib: typeof ssh2,
  target: SshTarget,
  via: Hop | undefined,
  options: ConnectOptions,
): Promise<Hop> {
  const hostKeys = await loadHostKeyCheck(target, options.logger);
  const login = await prepareLogin(target, lib, options.logger);
  // Without noDelay, Nagle holds small packets back: 47 ms for a command instead of 3.
  const stream = via
    ? await forward(via, target, options.readyTimeoutMs)
    : connectTcp({ host: target.host, port: target.port, noDelay: true });
  const client = new lib.Client();
  // An EventEmitter throws an 'error' that nobody listens to; what matters is handled where it is waited for.
  client.on('error', () => {});
  const abort = () => stream.destroy(new Error('the connection is wanted no more'));
  if (options.signal.aborted) abort();
  options.signal.addEventListener('abort', abort);
  try {
    await handshake(client, { target, stream, hostKeys, login, options });
    return { client, stream, target };
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    options.signal.removeEventListener('abort', abort);
  }
}

function forward(via: Hop, to: SshTarget, timeoutMs: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(noWayThrough(to, via.target, why));
    const timer = setTimeout(fail, timeoutMs, 'it does not answer').unref();
    try {
      via.client.forwardOut('127.0.0.1', 0, to.host, to.port, (error, stream) => {
        clearTimeout(timer);
        if (error) fail(messageOf(error));
        else resolve(stream);
      });
    } catch (error) {
      clearTimeout(timer);
      fail(messageOf(error));
    }
  });
}

interface Handshake {
  readonly target: SshTarget;
  readonly stream: Duplex;
  readonly hostKeys: HostKeyCheck;
  readonly login: Login;
  readonly options: ConnectOptions;
}

function handshake(client: ssh2.Client, parts: Handshake): Promise<void> {
  const { target, stream, hostKeys, login, options } = parts;
  let authenticating = false;
  let recorded: Promise<void> = Promise.resolve();
  return new Promise((resolve, reject) => {
    const wait = new LoginWait(target.host, options, (error) => fail(error));
    const fail = (error: Error & { level?: string }) => {
      // A key that the agent or ssh2 cannot sign with is one method failed; ssh2 goes on with the next.
      if (error.level === 'agent') return options.logger.debug(`ssh-agent: ${error.message}`);
      if (error.level === 'client-authentication' && !login.exhausted)
        return options.logger.debug(error.message);
      wait.stop();
      if (hostKeys.refusal && hostKeys.seen) options.observer?.hostKey(target, hostKeys.seen);
      if (hostKeys.refusal) reject(hostKeys.refusal);
      else if (!authenticating) reject(unreachable(target, error, options.readyTimeoutMs));
      else reject(login.failure(login.exhausted ? undefined : error.message, wait.banner));
    };
    client.on('error', fail);
    client.on('close', () => fail(new Error('the server closed the connection')));
    client.on('banner', (text) => wait.hear(text));
    client.on('change password', () => fail(new Error('the password has expired and must be changed')));
    client.on('handshake', () => {
      // The server has proved that it owns the key.
      authenticating = true;
      if (hostKeys.seen) options.observer?.hostKey(target, hostKeys.seen);
      recorded = hostKeys.record();
    });
    client.on('ready', () => {
      wait.stop();
      client.off('error', fail);
      options.observer?.login(target, login.last ?? 'no authentication at all');
      recorded.then(resolve);
    });
    try {
      client.connect({
        sock: stream,
        username: target.username,
        // Its clock cannot be set again when a banner comes.
        readyTimeout: 0,
        algorithms: { serverHostKey: hostKeys.algorithms },
        hostVerifier: (key: Buffer) => hostKeys.verify(key),
        authHandler: login.next,
        // Only asks for signs of life: ssh2 would count a peer as dead whose answer is queued behind bulk data. Whether
        // anything arrives at all is watched by the connection.
        keepaliveInterval: options.keepaliveMs,
        keepaliveCountMax: Number.MAX_SAFE_INTEGER,
      });
    } catch (error) {
      wait.stop();
      reject(error instanceof AppError ? error : unreachable(target, error, options.readyTimeoutMs));
    }
  });
}
