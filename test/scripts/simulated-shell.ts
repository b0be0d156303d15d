import { type Running, ScriptHost } from '../../src/simulator/script-host.ts';
import type { Disk, Feature, Machine, MachineFiles, Program, ProgramEnd, StartOptions } from './machine.ts';
import { ProgramOutput } from './output.ts';
import { NODE_PATHS } from './shells.ts';
import { SimulatedFiles } from './simulated-files.ts';

/** The folder for the node's files, as under a real shell: what the kernel generates in /proc cannot be replaced. */
const NODE = '/node';
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The simulator's shell on a simulated machine, whose files and processes exist only for the script. */
export class SimulatedShell implements Machine {
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  readonly files: MachineFiles = new SimulatedFiles(() => this.#host);
  readonly #flavour: 'debian' | 'alpine';
  #host: ScriptHost;
  #folders = 0;

  constructor(flavour: 'debian' | 'alpine') {
    this.name = `the simulator's ${flavour === 'debian' ? 'dash' : 'ash'}`;
    this.#flavour = flavour;
    this.#host = new ScriptHost({ flavour });
    const features: readonly Feature[] = [
      'isolated',
      'disks',
      'fifos',
      'processGroups',
      'fileSizeLimit',
      'ddBytes',
    ];
    this.features = new Set([...features, ...(flavour === 'alpine' ? [] : (['missingPrograms'] as const))]);
  }

  start(script: string, args: readonly string[], options: StartOptions = {}): Program {
    const { slackNs, fileSizeLimitKiB } = options;
    const env = { PATH: this.#path(options), HOME: '/root', LANG: 'C.UTF-8', ...options.env };
    const moved = script.replaceAll(NODE_PATHS, (found) => NODE + found);
    const shell = ['/bin/sh', '-c', moved, 'sh', ...args];
    // Its unit is 512 bytes.
    const limit =
      fileSizeLimitKiB === undefined
        ? []
        : ['/bin/sh', '-c', `ulimit -f ${fileSizeLimitKiB * 2}; exec "$@"`, 'sh'];
    const output = new ProgramOutput();
    const running = this.#host.start([...limit, ...shell], {
      env,
      ...(slackNs === undefined ? {} : { slackNs }),
      onStdout: (bytes) => output.append('stdout', bytes),
      onStderr: (bytes) => output.append('stderr', bytes),
    });
    return new SimulatedProgram(this.#host, running, output);
  }

  async folder(): Promise<string> {
    this.#folders += 1;
    const folder = `/tmp/case-${this.#folders}`;
    await this.files.mkdir(folder);
    return folder;
  }

  async disk({ sizeKiB, readOnly = false }: { sizeKiB: number; readOnly?: boolean }): Promise<Disk> {
    const folder = await this.folder();
    this.#host.mount(folder, { size: sizeKiB * 1024, readOnly });
    return { inside: folder, outside: folder };
  }

  nodePath(path: string): string {
    return NODE + path;
  }

  ticksNow(): number {
    return this.#host.ticks;
  }

  async commandLines(): Promise<readonly string[]> {
    return this.#host.processes().map(({ cmdline }) => cmdline);
  }

  async reset(): Promise<void> {
    this.#host.stop();
    this.#host = new ScriptHost({ flavour: this.#flavour });
    await this.files.write(this.nodePath('/proc/uptime'), '1000.00 5.00\n');
  }

  async close(): Promise<void> {
    this.#host.stop();
  }

  #path({ programs, onlyPrograms }: StartOptions): string {
    const system = onlyPrograms === undefined ? SYSTEM_PATH : this.#links(onlyPrograms);
    return programs === undefined ? system : `${programs}:${system}`;
  }

  /** A folder of links to these programs. */
  #links(programs: readonly string[]): string {
    this.#folders += 1;
    const folder = `/tmp/programs-${this.#folders}`;
    this.#host.files.makeDirectories(folder);
    for (const name of programs) this.#host.files.symlink(`/usr/bin/${name}`, `${folder}/${name}`);
    return folder;
  }
}

class SimulatedProgram implements Program {
  readonly exited: Promise<ProgramEnd>;
  readonly closed: Promise<ProgramEnd>;
  readonly until: Program['until'];
  readonly #host: ScriptHost;
  readonly #running: Running;
  readonly #output: ProgramOutput;

  constructor(host: ScriptHost, running: Running, output: ProgramOutput) {
    this.#host = host;
    this.#running = running;
    this.#output = output;
    this.until = (test) => output.until(test);
    this.exited = running.exited.then(() => this.#end());
    this.closed = running.closed.then(() => {
      output.end();
      return this.#end();
    });
  }

  get stdout(): Buffer {
    return this.#output.stdout;
  }

  get stderr(): Buffer {
    return this.#output.stderr;
  }

  send(data: string | Buffer): void {
    this.#running.write(data);
  }

  endInput(): void {
    this.#running.end();
  }

  terminate(): void {
    const { group } = this.#running.process;
    for (const each of this.#host.processes()) if (each.group === group) each.signal('TERM');
  }

  #end(): ProgramEnd {
    const { code = null, signal = null } = this.#running.process.status ?? {};
    return signal === null ? { code, signal } : { code: null, signal: `SIG${signal}` };
  }
}
