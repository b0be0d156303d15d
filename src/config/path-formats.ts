import fs from 'node:fs';
import * as z from 'zod/v4';
import { decodeText } from '../lib/decode-text.ts';
import { errnoOf, hasErrno } from '../lib/errno.ts';
import { reject } from './formats.ts';
import { absolutePath, type HostEnvironment, pathsOf } from './host-environment.ts';

/* Formats of settings with paths. */

/** A readable private key file. It is checked at the start rather than at the first call. */
export function keyFile(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    if (value.includes('PRIVATE KEY')) {
      return reject(ctx, 'contains the key itself', 'Save the key in a file, and set the path of that file.');
    }
    const file = absolutePath(at, value);
    try {
      const start = decodeText(fs.readFileSync(file)).slice(0, 40);
      if (!/^(ssh-|ecdsa-|sk-)/.test(start)) return file;
      return reject(
        ctx,
        `is a public key (${file})`,
        'Set the path of the private key, which is the file without .pub.',
      );
    } catch (error) {
      return reject(ctx, `cannot be read: ${reason(error, file)}`, fileRemedy(value, at));
    }
  });
}

/** A file path. The file may not exist yet. */
export function filePath(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    const file = absolutePath(at, value);
    return isDirectory(file) ? reject(ctx, `is a directory: ${file}`, 'Set the path of a file.') : file;
  });
}

/** A readable file. */
export function readableFile(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    const file = absolutePath(at, value);
    try {
      fs.readFileSync(file);
      return file;
    } catch (error) {
      return reject(ctx, `cannot be read: ${reason(error, file)}`, fileRemedy(value, at));
    }
  });
}

/** A directory path. The directory may not exist yet. */
export function directoryPath(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    const dir = absolutePath(at, value);
    if (statOf(dir)?.isFile()) return reject(ctx, `is a file: ${dir}`, 'Set the path of a directory.');
    const blocked = parentsOf(dir, at).find((each) => statOf(each)?.isDirectory() === false);
    if (blocked === undefined) return dir;
    return reject(
      ctx,
      `is inside a path that is not a directory: ${blocked}`,
      'Set the path of a directory.',
    );
  });
}

export const FILE_REMEDY =
  'Correct the path (~ is allowed), or make the file readable for the user that runs this server.';

function fileRemedy(value: string, { platform }: HostEnvironment): string {
  if (/[\r\n]/.test(value)) {
    return 'The path contains a line break. In double quotes, \\n and \\r are line breaks: use single quotes.';
  }
  const isForeign = platform !== 'win32' && /^[A-Za-z]:[\\/]/.test(value);
  return isForeign
    ? 'This is a Windows path. Set a path of the system that runs this server: in WSL, C:\\Users is /mnt/c/Users.'
    : FILE_REMEDY;
}

/** The reason why a file could not be used, in words instead of an errno. */
export function reason(error: unknown, file: string): string {
  if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return `${file} does not exist`;
  if (hasErrno(error, 'EACCES', 'EPERM')) return `${file} is not readable by this user`;
  if (hasErrno(error, 'EISDIR')) return `${file} is a directory`;
  return `${file} (${errnoOf(error) ?? String(error)})`;
}

export function isDirectory(file: string): boolean {
  return statOf(file)?.isDirectory() ?? false;
}

/** The stats of a file; undefined if it does not exist or is not accessible. */
export function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file);
  } catch {
    return undefined;
  }
}

/** The parent directories, nearest first. */
function parentsOf(dir: string, at: HostEnvironment): readonly string[] {
  const parent = pathsOf(at).dirname(dir);
  return parent === dir ? [] : [parent, ...parentsOf(parent, at)];
}
