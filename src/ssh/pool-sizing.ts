/** The input of {@link connectionsWanted}. */
export interface Load {
  /** Connections that can be used, and those that are being opened. */
  readonly usable: number;
  readonly connecting: number;
  readonly maxConnections: number;
  /** Sessions of one connection that commands may use. */
  readonly perConnection: number;
  /** Opens that wait for a session, and how many of them have waited for a whole tick. */
  readonly waiting: number;
  readonly overdue: number;
  /** Waiters that got a session during the last tick, and its length in ms. */
  readonly served: number;
  readonly tickMs: number;
  /** How long the last connection took to open, in ms. */
  readonly connectMs: number;
}

/** sshd's default MaxStartups 10:30:100 drops connections at ten concurrent logins of all clients, so some are left to others. */
const MAX_CONNECTING = 4;

/**
 * How many connections to open now. The first is opened alone, so that a wrong password is tried once and not four
 * times. More are opened only when waiting for a free session would take longer than another login.
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
