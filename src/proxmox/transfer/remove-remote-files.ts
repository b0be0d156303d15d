import { RemoteCall } from '../../remote/remote-call.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { type AttachTarget, shellArgv } from '../../remote/session-requests.ts';

const LIMIT_MS = 3_000;
/** The argument vector that removes a temporary file or directory beside the destination of a transfer. */
export function removeBeside(destination: string, name: string): readonly string[] {
  return shellArgv(SCRIPTS.removeBeside, [destination, name]);
}

/** Runs `argv`, which removes the temporary files of a killed script. A failure is logged: the call has failed already. */
export async function removeRemoteFiles(
  shell: RemoteShell,
  target: AttachTarget,
  argv: readonly string[],
  limitMs = LIMIT_MS,
): Promise<void> {
  try {
    const call = await RemoteCall.start(shell, {
      target,
      argv: () => argv,
      precondition: null,
      input: false,
      signal: new AbortController().signal,
      timeoutMs: limitMs,
      hurried: () => true,
    });
    call.stdout.resume();
    call.stderr.resume();
    if ((await call.stopped) === 'timeout') await call.kill();
  } catch (error) {
    shell.logger.warn({ argv, error: String(error) }, 'could not remove temporary files');
  }
}
