import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import type ssh2 from 'ssh2';
import { AppError, messageOf } from '../lib/errors.ts';
import { type Login, prepareLogin } from './auth.ts';
import { isInterruption, jumpHostFailed, loginUnfinished, unreachable } from './connect-errors.ts';
import { type HostKeyCheck, loadHostKeyCheck, type SeenHostKey } from './host-keys.ts';
import type { SshLogger } from './logger.ts';
import { hasLink, LoginWait, type LoginWaitOptions } from './login-wait.ts';
import type { SshTarget } from './ssh-types.ts';

/** Interval of keepalive requests, in ms. A connection on which nothing arrives for much longer carries no more data. */
export const KEEPALIVE_MS = 3_000;

/** Receives the host key and the login method of each hop, for `doctor` and `init`, which show them. */
export interface ConnectObserver {
  /** The server has offered this key. Unless the key was refused, it has also proved that it owns it. */
  hostKey(target: SshTarget, seen: SeenHostKey): void;
  /** @param method label of the accepted method: `key file …`, `password`. */
  login(target: SshTarget, method: string): void;
}

export interface ConnectOptions extends LoginWaitOptions {
  readonly logger: SshLogger;
  /** Interval of keepalive requests, in ms; see KEEPALIVE_MS. */
  readonly keepaliveMs: number;
  /** Aborts the attempt. */
  readonly signal: AbortSignal;
  readonly observer?: ConnectObserver;
}

/** A logged-in client and the stream that it runs over. */
export interface SshConnectionHandle {
  readonly client: ssh2.Client;
  readonly stream: Duplex;
  /** Drops the connection and those to its jump hosts at once; the client emits `close`. */
  destroy(): void;
}

interface Hop {
  readonly client: ssh2.Client;
  readonly stream: Duplex;
  readonly target: SshTarget;
}

/**
 * Connects and logs in to `target` through its jump hosts. Each hop has its own host key check.
 *
 * @throws AppError SSH_UNREACHABLE, SSH_AUTH_FAILED, SSH_KEY_UNUSABLE, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED.
 */
export async function connect(target: SshTarget, options: ConnectOptions): Promise<SshConnectionHandle> {
  // Loaded at first use, because loading it takes 40 to 50 ms of the server's start.
  const { default: lib } = await import('ssh2');
  const way: Hop[] = [];
  const destroy = () => {
    // All streams, not just the last: a stream through a hop that hangs could not be closed normally.
    for (const hop of way) hop.stream.destroy();
  };
  try {
    for (const hop of [...target.jumps, target]) way.push(await logIn(lib, hop, way.at(-1), options));
  } catch (error) {
    destroy();
    throw error;
  }
  const last = way.at(-1);
  if (!last) throw new Error('there are no hops');
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
  // Without noDelay, Nagle's algorithm delays small packets: 47 ms for a command instead of 3.
  const stream = via
    ? await forward(via, target, options.readyTimeoutMs)
    : connectTcp({ host: target.host, port: target.port, noDelay: true });
  const client = new lib.Client();
  // An EventEmitter throws an 'error' without a listener. Each step of the connection has its own listener.
  client.on('error', () => {});
  const abort = () => stream.destroy(new Error('the connection is no longer needed'));
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
    const fail = (why: string) => reject(jumpHostFailed(to, via.target, why));
    const timer = setTimeout(fail, timeoutMs, 'no answer').unref();
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
  let saved: Promise<void> = Promise.resolve();
  return new Promise((resolve, reject) => {
    const wait = new LoginWait(target.host, options, (error) => fail(error));
    const fail = (error: Error & { level?: string }) => {
      // If the agent or ssh2 cannot sign with a key, only that method has failed. ssh2 tries the next one.
      if (error.level === 'agent') return options.logger.debug(`ssh-agent: ${error.message}`);
      if (error.level === 'client-authentication' && !login.exhausted)
        return options.logger.debug(error.message);
      wait.stop();
      if (hostKeys.refusal && hostKeys.seen) options.observer?.hostKey(target, hostKeys.seen);
      if (hostKeys.refusal) reject(hostKeys.refusal);
      else if (!authenticating) reject(unreachable(target, error, options.readyTimeoutMs));
      // A banner with a link may ask for a confirmation in a browser, without which the login does not continue.
      else if (!login.exhausted && isInterruption(error) && !hasLink(wait.banner))
        reject(loginUnfinished(target, error, wait.banner));
      else reject(login.failure(login.exhausted ? undefined : error.message, wait.banner));
    };
    client.on('error', fail);
    client.on('close', () => fail(new Error('the server closed the connection')));
    client.on('banner', (text) => wait.addBanner(text));
    client.on('change password', () => fail(new Error('the password has expired and must be changed')));
    client.on('handshake', () => {
      // The server has proved that it owns the key.
      authenticating = true;
      if (hostKeys.seen) options.observer?.hostKey(target, hostKeys.seen);
      saved = hostKeys.save();
    });
    client.on('ready', () => {
      wait.stop();
      client.off('error', fail);
      options.observer?.login(target, login.last ?? 'no authentication');
      saved.then(resolve);
    });
    try {
      client.connect({
        sock: stream,
        username: target.username,
        // Disabled, because ssh2 cannot extend its timeout when a banner arrives. LoginWait can.
        readyTimeout: 0,
        algorithms: { serverHostKey: hostKeys.algorithms },
        hostVerifier: (key: Buffer) => hostKeys.verify(key),
        authHandler: login.next,
        // ssh2 only sends keepalives. It would drop a server whose reply is queued after bulk data, so its counter is
        // disabled, and Connection drops a server from which no data arrives at all.
        keepaliveInterval: options.keepaliveMs,
        keepaliveCountMax: Number.MAX_SAFE_INTEGER,
      });
    } catch (error) {
      wait.stop();
      reject(error instanceof AppError ? error : unreachable(target, error, options.readyTimeoutMs));
    }
  });
}
