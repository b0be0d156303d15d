import { disconnected } from './remote-errors.ts';
import { type ChannelSource, type NodeLogger, RemoteShell } from './remote-shell.ts';

const LIMIT_MS = 10_000;

/**
 * Whether the SSH user needs sudo on the node, which is any user except uid 0. What sudo then allows depends on its rules.
 * @throws AppError if the node cannot be reached, or no command can run there
 */
export async function needsSudo(channels: ChannelSource, logger: NodeLogger): Promise<boolean> {
  const shell = new RemoteShell(channels, { sudo: false, logger });
  try {
    const { stdout, ended } = await shell.script('id -u', [], { timeoutMs: LIMIT_MS });
    if (ended !== 'exit') throw disconnected('reading the user ID');
    return stdout.trim() !== '0';
  } finally {
    shell.close();
  }
}
