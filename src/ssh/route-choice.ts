import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../lib/errors.ts';
import { connectWithRetry } from './connect-with-retry.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import type { SshTarget } from './ssh-types.ts';

/** Two routes to one server. Both are checked against the same host keys. */
export interface Routes {
  readonly direct: SshTarget;
  /** Through another server; absent if only the direct route exists. */
  readonly forwarded?: SshTarget;
}

/** How long the direct connection is tried alone, in ms. An address without a route often does not answer at all. */
const HEAD_START_MS = 1_000;
/** The direct address may belong to another machine of this network, which the host key reveals before the login. */
const PERHAPS_ANOTHER_SERVER = ['SSH_UNREACHABLE', 'HOST_KEY_CHANGED', 'HOST_KEY_UNKNOWN'];

/** Connects to one server by the first route that works, and keeps using that route. */
export class RouteChoice {
  readonly #routes: Routes;
  #chosen: SshTarget | undefined;
  #choosing: Promise<unknown> | undefined;

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  /** Whether connections are made through another server; undefined before the first connection. */
  get forwards(): boolean | undefined {
    return this.#chosen && this.#chosen === this.#routes.forwarded;
  }

  /**
   * @throws AppError as `connect` does; if both routes fail, the more informative error
   */
  async connect(options: ConnectionOptions): Promise<Connection> {
    const { direct, forwarded } = this.#routes;
    await this.#choosing?.catch(() => {});
    const target = this.#chosen ?? (forwarded === undefined ? direct : undefined);
    if (target !== undefined) {
      const connection = await connectWithRetry(target, options);
      this.#chosen = target;
      return connection;
    }
    const choice = this.#choose(direct, forwarded ?? direct, options);
    this.#choosing = choice;
    return choice.finally(() => {
      this.#choosing = undefined;
    });
  }

  async #choose(direct: SshTarget, forwarded: SshTarget, options: ConnectionOptions): Promise<Connection> {
    const over = new AbortController();
    const signal = AbortSignal.any([options.signal, over.signal]);
    const attempt = async (target: SshTarget): Promise<Connection> => {
      const connection = await connectWithRetry(target, { ...options, signal });
      if (this.#chosen !== undefined) connection.destroy();
      else this.#chosen = target;
      return connection;
    };
    const near = attempt(direct);
    const outcome = near.then(
      () => 'connected' as const,
      (error: unknown) => error,
    );
    try {
      const early = await Promise.race([
        outcome,
        sleep(HEAD_START_MS, undefined, { signal }).catch(() => {}),
      ]);
      if (early === 'connected' || isFinal(early)) return await near;
      return await Promise.any([near, attempt(forwarded)]);
    } catch (error) {
      throw error instanceof AggregateError ? moreTelling(error.errors) : error;
    } finally {
      over.abort();
    }
  }
}

/** Whether the right server has answered, so that another route changes nothing. */
function isFinal(error: unknown): boolean {
  return error instanceof AppError && !PERHAPS_ANOTHER_SERVER.includes(error.code);
}

/** @param errors of the direct and of the forwarded connection */
function moreTelling([near, far]: readonly unknown[]): unknown {
  if (!(near instanceof AppError && far instanceof AppError)) return far;
  if (far.code !== 'SSH_UNREACHABLE') return far;
  if (near.code !== 'SSH_UNREACHABLE') return near;
  return new AppError('SSH_UNREACHABLE', `${near.message} ${far.message}`, near.hint, { cause: far });
}
