import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { quoteAll } from '../../src/lib/quote.ts';
import { copyContext } from './context.ts';
import { readDockerfile, type Stage, type Step } from './dockerfile.ts';

const execute = promisify(execFile);
/** What base images have; and where this machine has the Node that stands for theirs. */
const PATH = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${path.dirname(process.execPath)}`;

/**
 * An image built without Docker: the steps of the Dockerfile run unchanged, each stage in its own root. The base image is this
 * machine, seen through an overlay, which stays unchanged. Requires root and Linux.
 */
export class Image {
  readonly stage: Stage;
  readonly #dir: string;
  readonly #layer: string;

  private constructor(stage: Stage, dir: string, layer: string) {
    this.stage = stage;
    this.#dir = dir;
    this.#layer = layer;
  }

  /** @param dir an empty directory for everything that the build creates */
  static async build(project: string, dockerfile: string, dir: string): Promise<Image> {
    const stages = readDockerfile(dockerfile);
    const context = path.join(dir, 'context');
    copyContext(project, context);
    const script = stages.flatMap((stage, index) => [
      ...mount(dir, index),
      ...stage.steps.flatMap((step) => perform(step, dir, index, stages, context)),
    ]);
    await inMounts(script.join('\n'), path.join(dir, 'build.sh'));
    const last = stages.at(-1);
    if (!last) throw new Error('no stage');
    return new Image(last, dir, layerOf(dir, stages.length - 1));
  }

  /** What the last stage added to its base, as a directory of this machine. */
  get layer(): string {
    return this.#layer;
  }

  /** A volume with the image's files at that path, as Docker fills a new volume. */
  async volume(name: string, at: string): Promise<string> {
    const dir = path.join(this.#dir, 'volumes', name);
    mkdirSync(path.dirname(dir), { recursive: true });
    await execute('cp', ['-a', path.join(this.#layer, at), dir]);
    return dir;
  }

  /**
   * Starts a program as in a container: with the image's user and environment, without capabilities, and with a root that is
   * read-only except for the volumes and /tmp. The process is the program itself.
   */
  start(argv: readonly string[], options: RunOptions): ChildProcessWithoutNullStreams {
    const root = path.join(this.#dir, 'run');
    mkdirSync(root, { recursive: true });
    const env = { PATH, ...this.stage.env, ...options.env };
    const binds = Object.entries(options.volumes ?? {}).map(
      ([at, dir]) => `mount --bind ${quoteAll([dir, root + at])}`,
    );
    const [uid = '', gid = ''] = this.stage.user.split(':');
    const script = [
      'set -e',
      `mount -t overlay overlay -o lowerdir=/,upperdir=${this.#layer},workdir=${path.join(this.#layer, '../work')} ${root}`,
      `mount -o remount,bind,ro ${root}`,
      ...binds,
      `mount -t tmpfs tmpfs ${root}/tmp`,
      `mount --bind /dev ${root}/dev`,
      `mount -t proc proc ${root}/proc`,
      `cd ${root}`,
      `exec chroot ${quoteAll([
        root,
        'setpriv',
        ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
        ...['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all'],
        ...['/usr/bin/env', '-i'],
        ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
        ...argv,
      ])}`,
    ].join('\n');
    return spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script]);
  }

  /** Like `docker run`: runs the image's command, or another one. */
  run(options: RunOptions, cmd: readonly string[] = this.stage.cmd): ChildProcessWithoutNullStreams {
    return this.start([...this.stage.entrypoint, ...cmd], options);
  }
}

export interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Directories of this machine by their path in the container. */
  readonly volumes?: Readonly<Record<string, string>>;
}

/** The variables that `docker run --env-file` passes on: everything after the =, including quotes. */
export function dockerEnvFile(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.includes('=') && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1)]),
  );
}

function layerOf(dir: string, index: number): string {
  return path.join(dir, `stage${index}`, 'upper');
}

function rootOf(dir: string, index: number): string {
  return path.join(dir, `stage${index}`, 'root');
}

function mount(dir: string, index: number): string[] {
  const [upper, work, root] = [
    layerOf(dir, index),
    path.join(dir, `stage${index}`, 'work'),
    rootOf(dir, index),
  ];
  return [
    `mkdir -p ${upper} ${work} ${root}`,
    `mount -t overlay overlay -o lowerdir=/,upperdir=${upper},workdir=${work} ${root}`,
    `mount --bind /dev ${root}/dev`,
    `mount --bind /proc ${root}/proc`,
  ];
}

function perform(
  step: Step,
  dir: string,
  index: number,
  stages: readonly Stage[],
  context: string,
): string[] {
  const root = rootOf(dir, index);
  const { workdir, env } = step.at;
  const make = `mkdir -p ${root}${workdir}`;
  if (step.kind === 'run') {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const inside = `cd ${workdir} && ${step.command}`;
    return [make, `chroot ${root} ${quoteAll(['env', ...variables, '/bin/sh', '-c', inside])}`];
  }
  const from = stages.findIndex(({ name }) => name === step.from);
  if (step.from !== undefined && from < 0) throw new Error(`there is no stage ${step.from}`);
  const base = step.from === undefined ? context : rootOf(dir, from);
  const destination = root + path.posix.resolve(workdir, step.destination);
  // A directory is copied as its content, as Docker does.
  return [
    make,
    ...step.sources.map((source) => {
      const file = path.join(base, source);
      return `if [ -d ${file} ]; then mkdir -p ${destination} && cp -a ${file}/. ${destination}; else cp -a ${file} ${destination}; fi`;
    }),
    `chown -R 0:0 ${destination}`,
  ];
}

async function inMounts(script: string, file: string): Promise<void> {
  writeFileSync(file, `set -e\n${script}\n`);
  try {
    await execute('unshare', ['--mount', '--propagation', 'private', 'sh', file], { maxBuffer: 50_000_000 });
  } catch (error) {
    throw new Error(
      `building failed: ${error instanceof Error ? error.message.slice(-3000) : String(error)}`,
    );
  } finally {
    rmSync(file, { force: true });
  }
}
