import { posix } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ScriptHost } from '../../src/simulator/script-host.ts';
import type { MachineFiles } from './machine.ts';

/** New files get the mode that this umask leaves, as those of a process that creates them. */
const UMASK = 0o022;

/** Files of a simulated machine. */
export class SimulatedFiles implements MachineFiles {
  readonly #host: () => ScriptHost;

  /** @param host the current one: a reset replaces it */
  constructor(host: () => ScriptHost) {
    this.#host = host;
  }

  get #files() {
    return this.#host().files;
  }

  async write(file: string, content: string | Buffer, mode = 0o644): Promise<void> {
    const isNew = !this.#files.exists(file);
    this.#files.write(file, content, { parents: true, ...(isNew ? { mode: mode & ~UMASK } : {}) });
  }

  async append(file: string, content: Buffer): Promise<void> {
    this.#files.append(file, content);
  }

  async read(file: string): Promise<string | undefined> {
    // As with real files, a case that polls one lets others run.
    await setImmediate();
    return this.#files.find(file)?.kind === 'file' ? this.#files.readText(file) : undefined;
  }

  async list(folder: string): Promise<readonly string[]> {
    return this.#files.find(folder)?.kind === 'directory' ? this.#files.list(folder) : [];
  }

  async mode(file: string): Promise<string> {
    return (this.#files.get(file).mode & 0o7777).toString(8);
  }

  async chmod(file: string, mode: number): Promise<void> {
    this.#files.get(file).mode = mode;
  }

  async truncate(file: string, size: number): Promise<void> {
    this.#files.truncate(file, size);
  }

  async space(file: string): Promise<number> {
    return this.#files.readText(file).length;
  }

  async isSymlink(file: string): Promise<boolean> {
    return this.#files.get(file, false).kind === 'link';
  }

  async mkdir(folder: string): Promise<void> {
    this.#files.makeDirectories(folder);
  }

  async symlink(target: string, file: string): Promise<void> {
    this.#files.makeDirectories(posix.dirname(file));
    this.#files.symlink(target, file);
  }

  async fifo(file: string): Promise<void> {
    this.#files.makeSpecial(file, 'fifo');
  }

  async writeFifo(file: string, content: string, meanwhile: () => Promise<void>): Promise<void> {
    let opened = () => {};
    const open = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const writer = this.#host().start(['sh', '-c', 'exec 3>"$1"; echo opened; cat >&3', 'sh', file], {
      onStdout: () => opened(),
    });
    await open;
    await meanwhile();
    writer.write(content);
    writer.end();
    await writer.exited;
  }

  async remove(path: string): Promise<void> {
    if (this.#files.find(path, false)) this.#files.remove(path, true);
  }
}
