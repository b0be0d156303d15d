import { currentEnvironment } from '../../../config/host-environment.ts';
import type { ConfigError } from '../../../config/sources.ts';
import { errnoOf } from '../../../lib/errno.ts';
import { AppError, messageOf, nextStep } from '../../../lib/errors.ts';
import type { Request } from '../../command.ts';
import { configErrorsText, wantsColor } from '../../output/config-errors.ts';
import { ignoreEpipe, print, printError, printMessage, proseWidth, wrapLines } from '../../output/output.ts';
import { FileFailure } from './changes.ts';
import { UnreadableConfig } from './client-config.ts';
import { UnwritableValue } from './env-file.ts';
import { journalFile } from './init-journal.ts';
import { readOptions } from './init-options.ts';

/** `proxmox-mcp init`: sets up settings, key, host key and clients; `--undo` removes all of that. */
export async function init(request: Request): Promise<void> {
  ignoreEpipe();
  const at = currentEnvironment();
  const errors: ConfigError[] = [];
  const options = readOptions(request, at, (error) => void errors.push(error));
  if (errors.length > 0) {
    process.stderr.write(configErrorsText(errors, wantsColor(process.stderr), 'proxmox-mcp init'));
    process.exitCode = 2;
    return;
  }
  if (!options.yes && !options.undo && !(process.stdin.isTTY && process.stdout.isTTY)) {
    process.stderr.write(
      'proxmox-mcp: init is interactive and needs a terminal; in scripts, use --yes\nRun proxmox-mcp init --help.\n',
    );
    process.exitCode = 2;
    return;
  }
  const abort = new AbortController();
  // The first signal undoes the changes so far. The second one exits at once.
  process.on('SIGINT', () => (abort.signal.aborted ? process.exit(130) : abort.abort()));
  let code = 1;
  try {
    if (options.undo) code = await undo(at, abort.signal);
    else {
      const run = options.yes
        ? (await import('./unattended.ts')).initUnattended
        : (await import('./interactive.ts')).initInteractive;
      code = await run(request, options, at, abort.signal);
    }
  } catch (error) {
    if (abort.signal.aborted) {
      process.stderr.write('\nproxmox-mcp init: cancelled; nothing was changed.\n');
      code = 130;
    } else {
      await printError(
        `\n${wrapLines(`proxmox-mcp init: nothing was changed. ${textOf(error)}`, proseWidth(process.stderr))}\n`,
      );
    }
  }
  process.exit(code);
}

async function undo(at: ReturnType<typeof currentEnvironment>, signal: AbortSignal): Promise<number> {
  const { undoAll } = await import('./undo.ts');
  const undone = await undoAll(at, signal);
  if (undone === undefined) {
    await printMessage(`nothing to undo: ${journalFile(at)} is missing, empty or damaged.`);
    return 1;
  }
  const lines = undone.map(({ ok, text }) => `${ok ? '✓' : '✗'} ${text}`);
  await print(`${lines.join('\n')}\nThe audit log and approvals in STATE_DIR are kept.\n`);
  return undone.every(({ ok }) => ok) ? 0 : 1;
}

function textOf(error: unknown): string {
  if (error instanceof AppError) return `${error.message}\n${nextStep(error, 'person')}`;
  if (error instanceof UnreadableConfig || error instanceof UnwritableValue) return error.message;
  if (error instanceof FileFailure) return `${error.message}.`;
  // Such as a known_hosts file or a key that cannot be written. All other errors are bugs.
  if (errnoOf(error) !== undefined) return `${messageOf(error)}.`;
  throw error;
}
