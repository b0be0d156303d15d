/** What the SSH layer needs of a logger; pino's satisfies it. Never given a secret. */
export interface SshLogger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

const warned = new WeakMap<SshLogger, Set<string>>();

/** Warns of what would otherwise be said again at each new connection. */
export function warnOnce(logger: SshLogger, message: string): void {
  const said = warned.get(logger) ?? new Set();
  warned.set(logger, said);
  if (said.has(message)) return;
  said.add(message);
  logger.warn(message);
}
