/** What the SSH layer needs of a logger; pino's satisfies it. Never given a secret. */
export interface SshLogger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}
