import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../../config/settings-schema.ts';
import { transferDirsOf } from '../../../config/transfer-dirs-setting.ts';
import type { Finding } from './check.ts';

/** Checks that the transfer directories are readable and writable. */
export async function checkTransferDirs(config: Config): Promise<Finding<true>> {
  const dirs = transferDirsOf(config);
  if (dirs.length === 0) {
    return {
      verdict: 'warn',
      detail: 'File transfers are disabled: over HTTP they need TRANSFER_DIRS, which is not set.',
      remedy: 'Set TRANSFER_DIRS to a directory if you need file transfers.',
    };
  }
  const problems: string[] = [];
  const notes: string[] = [];
  for (const dir of dirs) {
    const found = await stat(dir).catch(() => undefined);
    if (found === undefined) {
      if (await may(dirname(dir), constants.W_OK)) notes.push(`${dir} (created on first use)`);
      else problems.push(`${dir} does not exist and cannot be created`);
    } else if (!found.isDirectory()) problems.push(`${dir} is not a directory`);
    else if (!(await may(dir, constants.R_OK | constants.W_OK | constants.X_OK))) {
      problems.push(`${dir} is not readable and writable by this user`);
    } else notes.push(dir);
  }
  if (problems.length > 0) {
    return {
      verdict: 'warn',
      detail: `${problems.join('; ')}.`,
      remedy: 'Correct TRANSFER_DIRS or the permissions. Only file transfers need it.',
    };
  }
  const exposed = await exposedIn(dirs);
  if (exposed.length > 0 && !config.readOnly) {
    return {
      verdict: 'warn',
      detail: `The transfer directory contains files that control programs on this machine: ${exposed.join(', ')}.`,
      remedy: 'Set TRANSFER_DIRS to a separate directory.',
    };
  }
  const unused = config.readOnly ? ' (READ_ONLY=true: transfers are disabled)' : '';
  return { verdict: 'ok', detail: `${notes.join(', ')}${unused}`, value: true };
}

/** Configuration files of MCP clients that are not hidden files. Writing one makes the client start a program on this machine. */
const CLIENT_FILES = ['mcp.json', 'claude_desktop_config.json'];

async function exposedIn(dirs: readonly string[]): Promise<string[]> {
  const candidates = dirs.flatMap((dir) => CLIENT_FILES.map((file) => join(dir, file)));
  const exists = await Promise.all(candidates.map((file) => may(file, constants.F_OK)));
  return candidates.filter((_, index) => exists[index]);
}

async function may(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
