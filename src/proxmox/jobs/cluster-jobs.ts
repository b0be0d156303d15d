import { AppError } from '../../lib/errors.ts';
import type { RemoteShell } from '../../remote/shell.ts';
import type { Cleaner } from '../exec/output-buffer.ts';
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
import { NodeJobs } from './node-jobs.ts';

/** Limit of remembered jobs. Others are looked for on all nodes. */
const MAX_KNOWN = 10_000;

export interface ClusterJobsDeps {
  readonly redactor: Cleaner;
  readonly onEnd: ((job: Job) => Promise<void>) | undefined;
  /** Does work on one node; on the entry node if it is null. @throws AppError */
  on<T>(node: string | null, work: (shell: RemoteShell) => Promise<T>): Promise<T>;
  /** The nodes that may have jobs. */
  nodes(signal: AbortSignal): Promise<readonly (string | null)[]>;
}

/**
 * The jobs of all nodes. A job stays on the node where it was started, whatever becomes of its container. Its id does not name the
 * node: a job that this server has not seen yet is looked for on all nodes.
 */
export class ClusterJobs implements JobsHandle {
  readonly #deps: ClusterJobsDeps;
  readonly #nodes = new Map<string | null, NodeJobs>();
  readonly #known = new Map<string, string | null>();

  constructor(deps: ClusterJobsDeps) {
    this.#deps = deps;
  }

  /** The jobs of one node, for those that are started there. */
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
    const answers = await Promise.all(nodes.map((node) => this.#listOn(node, signal)));
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
    const { jobs, unreachable } = await this.list(signal);
    const found = jobs.find((job) => job.id === id);
    if (found !== undefined) return found;
    if (unreachable.length === 0) throw jobNotFound(id);
    throw new AppError(
      'SSH_UNREACHABLE',
      `Job ${id} is on none of the nodes that answer. It may be on ${unreachable.join(', ')}.`,
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

  async #listOn(
    node: string | null,
    signal: AbortSignal,
  ): Promise<{ node: string | null; jobs: readonly Job[]; error?: AppError }> {
    try {
      const jobs = await this.#of(node).list(signal);
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
