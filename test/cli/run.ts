import { type ChildProcess, spawn } from 'node:child_process';
import { serverCommand } from '../mcp/client.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly cwd: string;
}

/** Starts the program with exactly this environment; its home is `cwd`. */
export function startCli(
  args: readonly string[],
  options: CliOptions,
): { child: ChildProcess; ended: Promise<Ended> } {
  const { PATH = '', SystemRoot = '' } = process.env;
  const { command, args: all } = serverCommand(args);
  const child = spawn(command, all, {
    cwd: options.cwd,
    env: { PATH, SystemRoot, HOME: options.cwd, USERPROFILE: options.cwd, ...options.env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    stdout += data;
  });
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    stderr += data;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

export function runCli(args: readonly string[], options: CliOptions): Promise<Ended> {
  return startCli(args, options).ended;
}
