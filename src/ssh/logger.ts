/** The logger that the SSH layer needs. Its messages contain no secrets. */
export interface SshLogger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

const warned = new WeakMap<SshLogger, Set<string>>();

/** Logs a warning once, although every new connection would cause it again. */
export function warnOnce(logger: SshLogger, message: string): void {
  const logged = warned.get(logger) ?? new Set();
  warned.set(logger, logged);
  if (logged.has(message)) return;
  logged.add(message);
  logger.warn(message);
}
