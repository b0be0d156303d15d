import type { Bash, CustomCommand, ResolvedCommandContext } from 'just-bash';
import { FileError } from '../files/inode.ts';
import { ShellFs, type StreamPaths } from '../files/shell-fs.ts';
import type { Process } from '../processes/process-table.ts';
import { type Signal, signalNumber } from '../processes/signals.ts';
import { builtins } from './builtins.ts';
import { Children } from './children.ts';
import { loadJustBash } from './just-bash.ts';
import type { Machine, Program, ProgramCall } from './machine.ts';
import { ERR, OUT } from './redirections.ts';
import { type Sink, TextSink } from './streams.ts';
import { type BackgroundJob, LIVE, type Transformed, transform } from './transform.ts';

export interface ShellOptions {
  readonly machine: Machine;
  /** The process in which it runs; whoever made it ends it. */
  readonly process: Process;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly uid: number;
  readonly stdin?: Buffer;
  /** $0, $1, … */
  readonly positional?: readonly string[];
  /** What it starts takes its place instead of becoming its child. */
  readonly givesWay?: boolean;
  readonly functions?: string;
}

const NO_LIMITS = {
  maxCommandCount: Number.POSITIVE_INFINITY,
  maxLoopIterations: Number.POSITIVE_INFINITY,
  // Some programs (ls) add to it and refuse what is no safe integer.
  maxOutputSize: 2 ** 52,
  maxExecutionTimeMs: Number.POSITIVE_INFINITY,
};

/** A shell at work on one script: just-bash interprets it, and the shell lends it processes, signals and streams. */
export class Shell {
  readonly options: ShellOptions;
  readonly process: Process;
  readonly children: Children;
  /** Commands to run on a signal, or at the end (EXIT). */
  readonly traps = new Map<string, string>();
  readonly pending: string[] = [];
  jobs: readonly BackgroundJob[] = [];
  /** The functions that the script defines, as text; jobs know them too. */
  functions = '';
  readonly #abort = new AbortController();
  #fs: ShellFs | undefined;
  #die: (code: number) => void = () => {};
  #dead = false;

  constructor(options: ShellOptions) {
    this.options = options;
    this.process = options.process;
    this.children = new Children(this);
  }

  /** Runs a script to its end. @returns its exit code, 128 + n if signal n ended it */
  async run(script: string): Promise<number> {
    const died = new Promise<number>((resolve) => {
      this.#die = (code) => {
        this.#dead = true;
        this.#abort.abort();
        resolve(code);
      };
    });
    this.process.onSignal = (signal) => this.#onSignal(signal);
    this.process.onDeath = (code) => this.#die(code);
    if (!this.process.alive) return 137;
    return Promise.race([died, this.#interpret(script)]);
  }

  /** Waits for signals that the script has set a trap for; false: the default is to happen. */
  #onSignal(signal: Signal): boolean {
    const command = this.traps.get(signal);
    if (command === undefined) return false;
    this.pending.push(command);
    this.children.interruptWait(128 + signalNumber(signal));
    return true;
  }

  async #interpret(script: string): Promise<number> {
    const { serialize, parse } = await loadJustBash();
    let text = script;
    try {
      const tree = parse(script);
      const result: Transformed = transform(tree, {
        hasTraps: /\btrap\b/.test(script),
        isBash: this.options.machine.files.exists('/bin/bash'),
      });
      this.jobs = result.jobs;
      this.functions = [
        this.options.functions ?? '',
        ...result.functions.map((each) => textOf(each, serialize)),
      ].join('\n');
      text = serialize(tree);
    } catch {
      // just-bash tells the syntax error itself when it is to run it.
    }
    const bash = await this.#makeBash();
    // What a shell is started with is exported; just-bash takes it for plain variables.
    const names = [...this.options.env.keys()].filter((name) => /^[A-Za-z_]\w*$/.test(name));
    const prelude = names.length > 0 ? `export ${names.join(' ')}\n` : '';
    const code = await this.#exec(bash, `${prelude}${this.options.functions ?? ''}\n${text}`);
    const last = this.traps.get('EXIT');
    if (last !== undefined && !this.#dead) await this.#exec(bash, last);
    return code;
  }

  /** A file that can't be written ends the script here; a real shell would only fail that command. */
  async #exec(bash: Bash, text: string): Promise<number> {
    try {
      return await this.#execText(bash, text);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await this.#write(this.options.stderr, Buffer.from(this.#unwritable(error))).catch(() => {});
      return 1;
    }
  }

  /** As the shell of this machine words it. */
  #unwritable({ code, path, text }: FileError): string {
    const bash = this.options.machine.files.exists('/bin/bash');
    if (code === 'ENOSPC' || code === 'EPIPE') return `${bash ? 'bash' : 'sh'}: write error: ${text}\n`;
    return bash ? `bash: line 1: ${path}: ${text}\n` : `sh: can't create ${path}: ${text}\n`;
  }

  async #execText(bash: Bash, text: string): Promise<number> {
    const { env, cwd, stdin, positional = [] } = this.options;
    const set = positional.length > 1 ? `set -- ${positional.slice(1).map(quoteWord).join(' ')}\n` : '';
    const result = await bash.exec(set + text, {
      rawScript: true,
      replaceEnv: true,
      env: Object.fromEntries(env),
      cwd,
      stdin: (stdin ?? Buffer.alloc(0)).toString('latin1'),
      stdinKind: 'bytes',
      signal: this.#abort.signal,
    });
    // Whether anybody still reads is no concern of a shell that has come to its end.
    await this.#write(this.options.stdout, encode(result.stdout, result)).catch(() => {});
    await this.#write(this.options.stderr, this.#explained(Buffer.from(result.stderr))).catch(() => {});
    return result.exitCode;
  }

  async #makeBash(): Promise<Bash> {
    const { Bash, defineCommand } = await loadJustBash();
    const { machine, uid, cwd } = this.options;
    const own = builtins(this);
    const streams: StreamPaths = {
      write: (path: string, bytes: Buffer) => this.#stream(path, bytes),
      isBuiltin: (name: string) => own.has(name),
    };
    const fs = new ShellFs(machine, uid, streams);
    this.#fs = fs;
    const programs = new Map<string, Program>([...machine.programs, ...own]);
    const customCommands: CustomCommand[] = [...programs].map(([name, program]) =>
      defineCommand(name, (args, context) => this.#call(name, program, args, context)),
    );
    return new Bash({
      fs,
      cwd,
      customCommands,
      executionLimits: NO_LIMITS,
      defenseInDepth: false,
      processInfo: { pid: this.process.pid, ppid: this.process.parentPid, uid, gid: uid },
    });
  }

  async #call(name: string, program: Program, args: string[], context: ResolvedCommandContext) {
    const { machine, uid } = this.options;
    const live = context.env.get(LIVE) === '1';
    const kept = { out: new TextSink(), err: new TextSink() };
    const env = new Map(Object.entries(context.exportedEnv ?? {}));
    env.delete(LIVE);
    const base = {
      machine,
      process: this.process,
      args,
      env,
      variables: new Map([...context.env].filter(([key]) => /^[A-Za-z_]\w*$/.test(key) && key !== LIVE)),
      cwd: context.cwd,
      uid,
      stdin: Buffer.from(String(context.stdin), 'latin1'),
      stdout: live ? this.options.stdout : kept.out,
      stderr: live ? this.options.stderr : kept.err,
    };
    const call: ProgramCall = {
      ...base,
      spawn: (argv, options) => this.children.spawn(base, argv, options),
      child: (argv, work) => this.children.child(argv, work),
      original: async (given) =>
        (await context.origCommand?.([...given])) ?? {
          stdout: '',
          stderr: `${name}: not found\n`,
          exitCode: 127,
        },
    };
    const exitCode = await program(call);
    return {
      stdout: kept.out.bytes.toString('latin1'),
      stderr: kept.err.text,
      stdoutKind: 'bytes' as const,
      exitCode,
    };
  }

  #stream(path: string, bytes: Buffer): Promise<void> | undefined {
    const sink = path === OUT ? this.options.stdout : path === ERR ? this.options.stderr : undefined;
    if (sink === undefined) return undefined;
    return this.#write(sink, path === ERR ? this.#explained(bytes) : bytes);
  }

  #explained(bytes: Buffer): Buffer {
    return this.#fs?.explain(bytes) ?? bytes;
  }

  /** A dead shell writes no more; one whose reader is gone gets SIGPIPE. */
  async #write(sink: Sink, bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.#dead) return;
    await this.options.machine.table.unfrozen(this.options.machine.vmid);
    if (await sink.write(bytes)) return;
    this.process.signal('PIPE');
    throw new FileError('EPIPE', 'write', '/dev/stdout');
  }
}

function encode(text: string, result: { stdoutKind?: 'text' | 'bytes'; stdoutEncoding?: 'binary' }): Buffer {
  const bytes = result.stdoutKind === 'bytes' || result.stdoutEncoding === 'binary';
  return Buffer.from(text, bytes ? 'latin1' : 'utf8');
}

function textOf(
  command: Transformed['functions'][number],
  serialize: (script: Parameters<typeof import('just-bash').serialize>[0]) => string,
): string {
  const pipeline = { type: 'Pipeline' as const, commands: [command], negated: false };
  const statement = { type: 'Statement' as const, pipelines: [pipeline], operators: [], background: false };
  return serialize({ type: 'Script', statements: [statement] });
}

function quoteWord(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
