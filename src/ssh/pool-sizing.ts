/** What {@link connectionsWanted} decides by. */
export interface Load {
  /** Connections that take work, and those being set up. */
  readonly usable: number;
  readonly connecting: number;
  readonly maxConnections: number;
  /** Work sessions of one connection. */
  readonly perConnection: number;
  /** Opens that wait for a session, and how many of them have waited a whole tick. */
  readonly waiting: number;
  readonly overdue: number;
  /** Waiters that got a session during the last tick, and its length in ms. */
  readonly served: number;
  readonly tickMs: number;
  /** What setting up a connection took lately, in ms. */
  readonly connectMs: number;
}

/** sshd's default MaxStartups 10:30:100 begins to drop at ten who are logging in, whoever they are; others need to log in too. */
const MAX_CONNECTING = 4;

/**
 * How many connections to start now. The first is set up alone, so that a wrong password is tried once and not four
 * times. More come only when waiting for a session would last longer than logging in anew: short commands drain faster.
 */
export function connectionsWanted(load: Load): number {
  const { usable, connecting, waiting, overdue, served } = load;
  if (waiting === 0) return 0;
  if (usable === 0) return connecting === 0 ? 1 : 0;
  if (overdue === 0) return 0;
  if (served > 0 && (waiting / served) * load.tickMs <= 2 * load.connectMs) return 0;
  const wanted = Math.ceil(overdue / load.perConnection) - connecting;
  return Math.max(
    0,
    Math.min(wanted, MAX_CONNECTING - connecting, load.maxConnections - usable - connecting),
  );
}
