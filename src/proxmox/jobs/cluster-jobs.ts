import { AppError } from '../../lib/errors.ts';
import { firstOf } from '../../lib/waits.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import { cancelled } from '../../ssh/pool-errors.ts';
import type { Cleaner } from '../exec/output-buffer.ts';
import { NODE_LIMIT_MS, silent } from '../inventory/run-states.ts';
import { jobNotFound } from './job-errors.ts';
import type {
  Job,
  JobCapture,
  JobCaptureOptions,
  JobList,
  JobPage,
  JobPart,
  JobStream,
  JobsHandle,
  JobWait,
} from './job-types.ts';
import { LOOK_LIMIT_MS, NodeJobs } from './node-jobs.ts';

/** Limit of remembered jobs. Other jobs are searched for on all nodes. */
const MAX_KNOWN = 10_000;

/** The jobs of one node, or the error with which reading them failed. */
interface Answer {
  readonly node: string | null;
  readonly jobs: readonly Job[];
  readonly error?: AppError;
}

export interface ClusterJobsDeps {
  readonly redactor: Cleaner;
  readonly onEnd: ((job: Job) => Promise<void>) | undefined;
  /** Does work on one node; on the entry node if it is null. @throws AppError */
  on<T>(node: string | null, work: (shell: RemoteShell) => Promise<T>): Promise<T>;
  /** The nodes that may have jobs, the entry node first. */
  nodes(signal: AbortSignal): Promise<readonly (string | null)[]>;
}

/**
 * The jobs of all nodes. A job stays on the node where it was started, even if its container moves. Its id does not contain the
 * node, so a job that this server has not seen yet is searched for on all nodes.
 */
export class ClusterJobs implements JobsHandle {
  readonly #deps: ClusterJobsDeps;
  readonly #nodes = new Map<string | null, NodeJobs>();
  readonly #known = new Map<string, string | null>();

  constructor(deps: ClusterJobsDeps) {
    this.#deps = deps;
  }

  /** The jobs of one node, to start a job there. */
  startedOn(node: string | null): Pick<JobsHandle, 'wait' | 'capture' | 'cancel'> {
    const jobs = this.#of(node);
    return {
      wait: (id, options) => {
        this.#learn(id, node);
        return jobs.wait(id, options);
      },
      capture: (id, options) => jobs.capture(id, options),
      cancel: (id, signal) => jobs.cancel(id, signal),
    };
  }

  async list(signal: AbortSignal): Promise<JobList> {
    const nodes = await this.#deps.nodes(signal);
    const answers = await Promise.all(
      nodes.map((node, index) => this.#listOn(node, signal, index === 0 ? LOOK_LIMIT_MS : NODE_LIMIT_MS)),
    );
    const failed = answers.flatMap((answer) => (answer.error === undefined ? [] : [answer.error]));
    const [error] = failed;
    if (error !== undefined && failed.length === answers.length) throw error;
    const jobs = answers.flatMap((answer) => answer.jobs).sort((a, b) => a.startedAt - b.startedAt);
    return {
      jobs,
      unreachable: answers.flatMap(({ node, error }) => (error && node !== null ? [node] : [])),
    };
  }

  async get(id: string, signal: AbortSignal): Promise<Job> {
    const node = this.#known.get(id);
    if (node !== undefined) return this.#of(node).get(id, signal);
    const [entry = null, ...others] = await this.#deps.nodes(signal);
    const here = await this.#listOn(entry, signal, LOOK_LIMIT_MS);
    const there = here.jobs.some((job) => job.id === id) ? [] : await this.#searchOn(others, id, signal);
    const answers = [here, ...there];
    const found = answers.flatMap(({ jobs }) => jobs).find((job) => job.id === id);
    if (found !== undefined) return found;
    if (here.error !== undefined && others.length === 0) throw here.error;
    const unreachable = unreachableOf(answers);
    if (unreachable.length === 0) throw jobNotFound(id);
    throw new AppError(
      'JOB_NOT_FOUND',
      `No node that answers has job ${id}. It may be on ${unreachable.join(', ')}.`,
      'Check the nodes with proxmox_cluster_status, and call again. Jobs continue while their node cannot be reached.',
    );
  }

  async wait(id: string, options: JobWait): Promise<Job> {
    return (await this.#locate(id, options.signal)).wait(id, options);
  }

  async capture(id: string, options: JobCaptureOptions): Promise<JobCapture> {
    return (await this.#locate(id, options.signal)).capture(id, options);
  }

  async read(id: string, stream: JobStream, part: JobPart, signal: AbortSignal): Promise<JobPage> {
    return (await this.#locate(id, signal)).read(id, stream, part, signal);
  }

  async cancel(id: string, signal: AbortSignal): Promise<Job> {
    return (await this.#locate(id, signal)).cancel(id, signal);
  }

  async #locate(id: string, signal: AbortSignal): Promise<NodeJobs> {
    if (!this.#known.has(id)) await this.get(id, signal);
    const node = this.#known.get(id);
    if (node === undefined) throw jobNotFound(id);
    return this.#of(node);
  }

  /** Reads several nodes at the same time, until one has the job or all have answered. */
  async #searchOn(nodes: readonly (string | null)[], id: string, signal: AbortSignal): Promise<Answer[]> {
    const answers: Answer[] = [];
    const asked = nodes.map(async (node) => {
      const answer = await this.#listOn(node, signal);
      answers.push(answer);
      return answer.jobs.some((job) => job.id === id) ? answer : Promise.reject(new Error('not there'));
    });
    await Promise.any(asked).catch(() => {});
    signal.throwIfAborted();
    return answers;
  }

  async #listOn(node: string | null, signal: AbortSignal, limitMs = NODE_LIMIT_MS): Promise<Answer> {
    try {
      const jobs = await firstOf(this.#of(node).list(signal), limitMs, signal);
      if (typeof jobs === 'string') {
        if (signal.aborted) throw cancelled();
        return { node, jobs: [], error: silent(node ?? 'in PROXMOX_HOST', limitMs) };
      }
      for (const { id } of jobs) this.#learn(id, node);
      return { node, jobs };
    } catch (error) {
      if (!(error instanceof AppError) || signal.aborted) throw error;
      return { node, jobs: [], error };
    }
  }

  #learn(id: string, node: string | null): void {
    this.#known.delete(id);
    this.#known.set(id, node);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }

  #of(node: string | null): NodeJobs {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    const { redactor, onEnd, on } = this.#deps;
    const jobs = new NodeJobs({
      script: (script, args, options) => on(node, (shell) => shell.script(script, args, options)),
      redactor,
      onEnd,
    });
    this.#nodes.set(node, jobs);
    return jobs;
  }
}

function unreachableOf(answers: readonly Answer[]): string[] {
  return answers.flatMap(({ node, error }) => (error !== undefined && node !== null ? [node] : []));
}
