import { type ChannelSource, type NodeLogger, RemoteShell } from './shell.ts';

/**
 * Whether the SSH user needs sudo on the node: any user but uid 0, whatever its name. What sudo then allows is up to its rules.
 * @throws AppError when the node cannot be reached
 */
export async function needsSudo(channels: ChannelSource, logger: NodeLogger): Promise<boolean> {
  const uid = await new RemoteShell(channels, { sudo: false, logger }).ask(['id', '-u']);
  // Start files of the shell may have printed lines before it.
  return uid.split('\n').at(-1)?.trim() !== '0';
}
