import { quoteAll } from '../../lib/quote.ts';
import type { Process } from '../processes/process-table.ts';
import type { ProgramCall, SpawnOptions } from './machine.ts';
import { Shell } from './shell.ts';

type Caller = Pick<ProgramCall, 'env' | 'cwd' | 'uid' | 'stdin' | 'stdout' | 'stderr'>;

interface Job {
  readonly process: Process;
  readonly ended: Promise<number>;
}

/** What one shell has started: programs in the foreground, jobs in the background. */
export class Children {
  readonly #shell: Shell;
  readonly #jobs: Job[] = [];
  #interrupt: (code: number) => void = () => {};

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** Runs `work` as a process with a name, which a signal ends. */
  async child(argv: readonly string[], work: (signal: AbortSignal) => Promise<number>): Promise<number> {
    const { machine, stdout, stderr, givesWay } = this.#shell.options;
    const abort = new AbortController();
    const release = [stdout.hold(), stderr.hold()];
    try {
      if (givesWay === true) {
        const { process } = this.#shell;
        retitle(process, argv);
        const died = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()));
        const before = process.onDeath;
        process.onDeath = (code) => {
          abort.abort();
          before(code);
        };
        return await Promise.race([work(abort.signal), died.then(() => 137)]);
      }
      return await new Promise<number>((resolve, reject) => {
        const process = machine.table.spawn({
          parent: this.#shell.process,
          comm: nameOf(argv),
          argv,
          onDeath: (code) => {
            abort.abort();
            resolve(code);
          },
        });
        work(abort.signal)
          .finally(() => process.end())
          .then(resolve, reject);
      });
    } finally {
      for (const each of release) each();
    }
  }

  /** Runs any program, or a shell with a script, in a process of its own. */
  async spawn(caller: Caller, argv: readonly string[], options: SpawnOptions = {}): Promise<number> {
    const { machine, givesWay } = this.#shell.options;
    const env = options.env ?? caller.env;
    const reuse = givesWay === true && options.timeoutMs === undefined;
    const process = reuse
      ? this.#shell.process
      : machine.table.spawn({
          parent: this.#shell.process,
          comm: nameOf(argv),
          argv,
          env,
        });
    if (reuse) retitle(process, argv, env);
    if (options.setsid) process.session = process.pid;
    for (const signal of options.ignore ?? []) process.ignored.add(signal);
    let late = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            late = true;
            for (const each of machine.table.list()) if (each.parentPid === process.pid) each.signal('TERM');
            process.signal('TERM');
          }, options.timeoutMs);
    const code = await this.#runIn(process, { ...caller, env, uid: options.uid ?? caller.uid }, argv);
    clearTimeout(timer);
    if (!reuse) process.end();
    return late ? 124 : code;
  }

  /** Starts the job with that number. @returns its process id */
  start(index: number, caller: Caller, title: readonly string[], text: string): number {
    const job = this.#shell.jobs[index];
    const { machine, stdout, stderr } = this.#shell.options;
    const given = title.length > 0;
    const process = machine.table.spawn({
      parent: this.#shell.process,
      comm: given ? nameOf(title) : this.#shell.process.comm,
      argv: given ? title : this.#shell.process.argv,
      env: this.#shell.process.env,
    });
    if (job?.orphaned) process.parentPid = 1;
    const release = job?.redirected ? [] : [stdout.hold(), stderr.hold()];
    const shell = new Shell({
      ...this.#shell.options,
      process,
      env: caller.env,
      cwd: caller.cwd,
      stdin: Buffer.alloc(0),
      givesWay: given,
      functions: this.#shell.functions,
    });
    const ended = shell.run(text).then((code) => {
      process.end();
      for (const each of release) each();
      return code;
    });
    this.#jobs.push({ process, ended });
    return process.pid;
  }

  /** Waits for these jobs, or all. @returns the code of the last one, or of the signal that interrupted */
  async wait(pids: readonly number[]): Promise<number> {
    const known = this.#jobs.filter(({ process }) => pids.length === 0 || pids.includes(process.pid));
    if (pids.length > 0 && known.length === 0) return 127;
    const all = Promise.all(known.map(({ ended }) => ended)).then((codes) =>
      pids.length === 0 ? 0 : (codes.at(-1) ?? 127),
    );
    const interrupted = new Promise<number>((resolve) => {
      this.#interrupt = resolve;
    });
    return Promise.race([all, interrupted]);
  }

  interruptWait(code: number): void {
    this.#interrupt(code);
  }

  get jobs(): readonly Process[] {
    return this.#jobs.map(({ process }) => process).filter(({ alive }) => alive);
  }

  async #runIn(process: Process, caller: Caller, argv: readonly string[]): Promise<number> {
    const { machine } = this.#shell.options;
    const shared = { ...caller, machine, process, functions: '' };
    const [name = '', flag = ''] = argv;
    const program = name.slice(name.lastIndexOf('/') + 1);
    if (/^(sh|bash|dash|ash)$/.test(program) && /^-[a-z]*c$/.test(flag)) {
      return new Shell({ ...shared, positional: argv.slice(3) }).run(argv[2] ?? '');
    }
    return new Shell({ ...shared, givesWay: true }).run(quoteAll(argv));
  }
}

function nameOf(argv: readonly string[]): string {
  const name = argv[0] ?? '';
  return name.slice(name.lastIndexOf('/') + 1);
}

function retitle(process: Process, argv: readonly string[], env?: ReadonlyMap<string, string>): void {
  process.comm = nameOf(argv).slice(0, 15);
  process.argv = argv;
  if (env) process.env = env;
}
