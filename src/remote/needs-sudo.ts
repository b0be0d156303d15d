import { disconnected } from './errors.ts';
import { type ChannelSource, type NodeLogger, RemoteShell } from './shell.ts';

const LIMIT_MS = 10_000;

/**
 * Whether the SSH user needs sudo on the node: any user but uid 0, whatever its name. What sudo then allows is up to its rules.
 * @throws AppError when the node cannot be reached, or no command can run there
 */
export async function needsSudo(channels: ChannelSource, logger: NodeLogger): Promise<boolean> {
  const shell = new RemoteShell(channels, { sudo: false, logger });
  try {
    const { stdout, ended } = await shell.script('id -u', [], { timeoutMs: LIMIT_MS });
    if (ended !== 'exit') throw disconnected('it was asked for the user id');
    return stdout.trim() !== '0';
  } finally {
    shell.close();
  }
}
