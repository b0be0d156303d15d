import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  /** Nothing of the caller's environment is passed on; this is all there is besides PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** KILLs the command after this long; the result then has code null. */
  readonly timeoutMs?: number;
}

export interface RawOutcome {
  /** null: died of a signal. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface Outcome {
  /** null: died of a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a program on this machine; a non-zero exit is a result, a program that cannot be started is an error. */
export function runRaw(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RawOutcome> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { PATH, LANG: 'C.UTF-8', HOME: '/root', ...options.env } });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const giveUp = () => {
      child.kill('SIGKILL');
      // A descendant that outlives it may hold these, and with them the wait for their end.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(giveUp, options.timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading its stdin is no failure of ours.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) });
    });
  });
}

export async function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<Outcome> {
  const { code, stdout, stderr } = await runRaw(argv, options);
  return { code, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
}

/** Runs a program that has to succeed for the test to mean anything. */
export async function must(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<Outcome> {
  const outcome = await run(argv, options);
  if (outcome.code !== 0) {
    throw new Error(
      `${argv.join(' ')}: code ${outcome.code}: ${outcome.stderr.trim() || outcome.stdout.trim()}`,
    );
  }
  return outcome;
}
