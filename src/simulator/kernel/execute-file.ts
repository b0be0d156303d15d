import { posix } from 'node:path';
import { FileError, fail } from '../files/inode.ts';
import type { Call } from '../programs/program.ts';
import { runProgram } from '../programs/program.ts';
import { fromBytes } from './bytes.ts';
import { type Birth, Killed, type Process } from './process.ts';
import { SystemCalls } from './system-calls.ts';

/** The content of a program file of the simulator: this mark and the name of the program. */
export const PROGRAM_MARK = '\x7fELF ';

interface Executable {
  readonly exe: string;
  /** The name that the kernel stores: that of the requested file, not of a symlink target. */
  readonly comm: string;
  readonly argv: readonly string[];
  readonly run: (call: Call) => Promise<number> | number;
}

/**
 * Finds the program in a file, following `#!`.
 * @param argv includes the name of the program as its first element
 * @throws FileError ENOENT, EACCES, or ENOEXEC for a file that is not a program
 */
export async function findExecutable(
  process: Process,
  path: string,
  argv: readonly string[],
  depth = 0,
): Promise<Executable> {
  const calls = new SystemCalls(process);
  const inode = await calls.stat(path);
  if (inode.kind !== 'file' || !(await calls.may(path, 1))) fail('EACCES', 'exec', path);
  const text = inode.content.subarray(0, 256).toString('latin1');
  const interpreter = /^#![ \t]*(\S+)[ \t]*([^\n]*?)[ \t]*\n/.exec(text);
  if (interpreter && depth < 4) {
    const [, program = '', option = ''] = interpreter;
    const rest = [program, ...(option === '' ? [] : [option]), path, ...argv.slice(1)];
    return { ...(await findExecutable(process, program, rest, depth + 1)), comm: posix.basename(path) };
  }
  if (!text.startsWith(PROGRAM_MARK)) fail('ENOEXEC', 'exec', path);
  let name = text.slice(PROGRAM_MARK.length).trim();
  if (name === 'busybox') name = posix.basename(argv[0] ?? '').replace(/^-/, '');
  const run = process.machine.programs.get(name);
  if (!run) fail('ENOEXEC', 'exec', path);
  return { exe: await calls.realPath(path), comm: posix.basename(path), argv, run };
}

/** The path of a command, searched in PATH. @throws FileError ENOENT, EACCES */
export async function searchPath(process: Process, name: string, path: string): Promise<string> {
  if (name.includes('/')) return name;
  const calls = new SystemCalls(process);
  let denied = false;
  for (const directory of path.split(':')) {
    const candidate = directory === '' ? name : `${directory}/${name}`;
    const inode = await calls.find(candidate);
    if (inode?.kind !== 'file') continue;
    if (await calls.may(candidate, 1)) return candidate;
    denied = true;
  }
  throw new FileError(denied ? 'EACCES' : 'ENOENT', 'exec', name);
}

/** Replaces a process with the program in a file. @returns the exit code, when it has ended. @throws FileError, Killed */
export async function execute(
  process: Process,
  path: string,
  argv: readonly string[],
  env: ReadonlyMap<string, string>,
): Promise<number> {
  const found = await findExecutable(process, path, argv);
  process.become(found, env);
  return runProgram(process, found.run);
}

/** Starts a child that runs the work and ends with it. */
export function fork(
  parent: Process,
  work: (child: Process) => Promise<number>,
  birth: Omit<Birth, 'parent'> = {},
): Process {
  const child = parent.machine.table.spawn({ ...birth, parent });
  void drive(child, work);
  return child;
}

/**
 * Runs the work of a process and ends the process. Internal errors of the simulator are written to the stderr of the process.
 */
export async function drive(process: Process, work: (process: Process) => Promise<number>): Promise<void> {
  try {
    process.end(await work(process));
  } catch (error) {
    if (error instanceof Killed) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    await process.fds
      .find(2)
      ?.write(process, Buffer.from(`simulator: ${text}\n`))
      .catch(() => {});
    process.end(255);
  }
}

/**
 * Starts a program as a child. If it cannot be started, `name: reason` is written to its stderr and its exit code is 126 or
 * 127, as in env, timeout, nohup and setsid.
 */
export function spawn(parent: Process, argv: readonly string[], birth: Omit<Birth, 'parent'> = {}): Process {
  return fork(parent, (child) => executeOrTell(child, argv), birth);
}

/** Replaces the process with a program from PATH, or reports why it cannot. */
export async function executeOrTell(
  process: Process,
  argv: readonly string[],
  env = process.env,
  caller = process.comm,
): Promise<number> {
  const name = argv[0] ?? '';
  try {
    const path = await searchPath(process, name, env.get('PATH') ?? '/bin:/usr/bin');
    return await execute(process, path, argv, env);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const text = `${caller}: failed to run command '${fromBytes(name)}': ${error.text}\n`;
    await process.fds.find(2)?.write(process, Buffer.from(text));
    return error.code === 'ENOENT' ? 127 : 126;
  }
}
