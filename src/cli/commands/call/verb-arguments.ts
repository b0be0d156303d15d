import { statSync } from 'node:fs';
import path from 'node:path';
import { quoteAll } from '../../../lib/quote.ts';
import { UsageError } from '../../usage-error.ts';

/** The tool call of a verb. */
export interface VerbCall {
  /** The tool, without `proxmox_`. */
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The transfer directory of this call; undefined: TRANSFER_DIRS applies. */
  readonly transferDir?: string;
}

type Options = Readonly<Record<string, string | undefined>>;

/** The tool call of a verb with its arguments. @throws UsageError */
export function readVerb(verb: string, words: readonly string[], options: Options, cwd: string): VerbCall {
  switch (verb) {
    case 'list':
      return { tool: 'list_containers', args: {} };
    case 'status':
      return { tool: 'container_status', args: { vmid: vmidOf(verb, words[0]) } };
    case 'start':
      return { tool: 'start_container', args: { vmid: vmidOf(verb, words[0]) } };
    case 'stop':
      return {
        tool: 'stop_container',
        args: {
          vmid: vmidOf(verb, words[0]),
          ...(options.force === 'true' ? { force: true } : {}),
          ...timeoutOf(options),
        },
      };
    case 'exec': {
      const [vmid, ...rest] = words;
      // As in `pct exec 101 -- ls`. No program is named like that.
      const command = rest[0] === '--' ? rest.slice(1) : rest;
      if (command.length === 0)
        throw new UsageError("exec needs a VMID and a command, for example: exec 101 'df -h'");
      return {
        tool: 'container_exec_command',
        args: {
          vmid: vmidOf(verb, vmid),
          command: commandLine(command),
          timeout: 300,
          ...timeoutOf(options),
        },
      };
    }
    case 'cp':
      return copy(words, options, cwd);
    default:
      throw new TypeError(`unknown verb ${verb}`);
  }
}

/** One word is a command line. Several words are a program and its arguments, which are quoted. */
function commandLine(words: readonly string[]): string {
  const [first = '', ...others] = words;
  return others.length === 0 ? first : quoteAll(words);
}

function vmidOf(verb: string, word: string | undefined): number {
  if (word !== undefined && /^[1-9]\d{2,8}$/.test(word)) return Number(word);
  const given = word === undefined ? '' : `, not '${word.slice(0, 40)}'`;
  throw new UsageError(`${verb} needs a VMID such as 101${given}; list them with \`proxmox-mcp list\``);
}

function timeoutOf({ timeout }: Options): { timeout?: number } {
  if (timeout === undefined) return {};
  const [, digits, unit] = /^(\d{1,4})([sm]?)$/.exec(timeout) ?? [];
  if (digits !== undefined) return { timeout: Number(digits) * (unit === 'm' ? 60 : 1) };
  throw new UsageError(
    `--timeout needs a number of seconds, or a duration such as 2m, not '${timeout.slice(0, 20)}'`,
  );
}

function copy(words: readonly string[], options: Options, cwd: string): VerbCall {
  const [source, target] = words;
  if (source === undefined || target === undefined) {
    throw new UsageError('cp needs a source and a target, for example: cp 101:/etc/hosts ./hosts');
  }
  const [from, to] = [remoteOf(source), remoteOf(target)];
  const overwrite = options.overwrite === 'true' ? { overwrite: true } : {};
  if (from !== undefined && to === undefined) {
    const local = path.resolve(cwd, target);
    const file = isDirectory(local, target) ? path.join(local, path.posix.basename(from.path)) : local;
    return transfer('download_file_from', from, from.path, file, overwrite);
  }
  if (from === undefined && to !== undefined) {
    const file = path.resolve(cwd, source);
    const there = to.path.endsWith('/') ? `${to.path}${path.basename(file)}` : to.path;
    return transfer('upload_file_to', to, there, file, overwrite);
  }
  throw new UsageError('cp needs VMID:PATH or host:PATH on one side and a local path on the other');
}

interface Remote {
  /** undefined: the node itself. */
  readonly vmid: number | undefined;
  readonly path: string;
}

/** Parses `101:/etc/hosts` or `host:/etc/hosts`. Undefined for a local path, which may contain a colon. */
function remoteOf(word: string): Remote | undefined {
  const match = /^(?:([1-9]\d{2,8})|host):(\/.*)$/.exec(word);
  if (match === null) return undefined;
  return { vmid: match[1] === undefined ? undefined : Number(match[1]), path: match[2] ?? '' };
}

function transfer(
  action: 'download_file_from' | 'upload_file_to',
  { vmid }: Remote,
  remotePath: string,
  local_path: string,
  overwrite: { readonly overwrite?: boolean },
): VerbCall {
  const where = vmid === undefined ? { host_path: remotePath } : { vmid, container_path: remotePath };
  return {
    tool: `${action}_${vmid === undefined ? 'host' : 'container'}`,
    args: { ...where, local_path, ...overwrite },
    transferDir: path.dirname(local_path),
  };
}

function isDirectory(local: string, written: string): boolean {
  return /[\\/]$/.test(written) || (statSync(local, { throwIfNoEntry: false })?.isDirectory() ?? false);
}
