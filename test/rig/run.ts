import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  /** The environment, apart from PATH; nothing is inherited from the caller. */
  readonly env?: Readonly<Record<string, string>>;
  /** Time after which the command is killed with SIGKILL; `code` is null then. */
  readonly timeoutMs?: number;
}

export interface RawOutcome {
  /** null: a signal killed it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface Outcome {
  /** null: a signal killed it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a program on this machine. A non-zero exit code is a result; a program that cannot be started is an error. */
export function runRaw(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RawOutcome> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { PATH, LANG: 'C.UTF-8', HOME: '/root', ...options.env } });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const giveUp = () => {
      child.kill('SIGKILL');
      // A descendant that outlives the program can hold the streams open.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(giveUp, options.timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading its stdin is not an error.
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

/** Runs a program that must succeed. */
export async function must(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<Outcome> {
  const outcome = await run(argv, options);
  if (outcome.code !== 0) {
    const how = outcome.code === null ? 'killed' : `code ${outcome.code}`;
    throw new Error(`${argv.join(' ')}: ${how}: ${outcome.stderr.trim() || outcome.stdout.trim()}`);
  }
  return outcome;
}
