import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../../config/settings-schema.ts';
import { transferDirsOf } from '../../../config/transfer-dirs.ts';
import type { Finding } from './check.ts';

/** Whether files can be read from and written to the transfer directories of this machine. */
export async function checkTransferDirs(config: Config): Promise<Finding<true>> {
  const dirs = transferDirsOf(config);
  if (dirs.length === 0) {
    return {
      verdict: 'warn',
      detail: 'Over HTTP files are transferred only where TRANSFER_DIRS allows it, and it is not set.',
      remedy: 'Name a directory for it in TRANSFER_DIRS; only file transfers need it.',
    };
  }
  const problems: string[] = [];
  const notes: string[] = [];
  for (const dir of dirs) {
    const found = await stat(dir).catch(() => undefined);
    if (found === undefined) {
      if (await may(dirname(dir), constants.W_OK)) notes.push(`${dir} (made when first used)`);
      else problems.push(`${dir} does not exist and cannot be made`);
    } else if (!found.isDirectory()) problems.push(`${dir} is not a directory`);
    else if (!(await may(dir, constants.R_OK | constants.W_OK | constants.X_OK))) {
      problems.push(`${dir} may not be read and written by this user`);
    } else notes.push(dir);
  }
  if (problems.length > 0) {
    return {
      verdict: 'warn',
      detail: `${problems.join('; ')}.`,
      remedy: 'Correct TRANSFER_DIRS or the rights; only file transfers need it.',
    };
  }
  const exposed = await exposedIn(dirs);
  if (exposed.length > 0 && !config.readOnly) {
    return {
      verdict: 'warn',
      detail: `Transfers may use a directory with files that decide what is run here: ${exposed.join(', ')}.`,
      remedy: 'Give transfers a directory of their own with TRANSFER_DIRS.',
    };
  }
  const unused = config.readOnly ? ' (READ_ONLY=true: there are no transfers)' : '';
  return { verdict: 'ok', detail: `${notes.join(', ')}${unused}`, value: true };
}

/** Configurations of MCP clients whose names do not begin with a dot: who writes one has a program started on this machine. */
const CLIENT_FILES = ['mcp.json', 'claude_desktop_config.json'];

async function exposedIn(dirs: readonly string[]): Promise<string[]> {
  const candidates = dirs.flatMap((dir) => CLIENT_FILES.map((file) => join(dir, file)));
  const there = await Promise.all(candidates.map((file) => may(file, constants.F_OK)));
  return candidates.filter((_, index) => there[index]);
}

async function may(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
