import { printMessage } from './output/output.ts';

/** An invalid command line. The message is shown to the user; the exit code is 2. */
export class UsageError extends Error {}

/**
 * Prints a UsageError with the command that shows the right usage, and sets exit code 2.
 * @throws every other error
 */
export async function reportUsageError(error: unknown, command: string): Promise<void> {
  if (!(error instanceof UsageError)) throw error;
  await printMessage(`${error.message}\nRun proxmox-mcp ${command} --help.`);
  process.exitCode = 2;
}
