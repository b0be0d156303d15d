import type * as z from 'zod';
import { AppError } from '../lib/errors.ts';
import type { ClusterHandle, ContainerHandle, ExecTarget } from '../proxmox/proxmox-types.ts';
import type { Precondition } from '../remote/remote-types.ts';

/**
 * What a tool does to the world, in one word. The hints for clients are derived from it, and READ_ONLY
 * lets only `read` pass. `exec` runs free-form commands, which no parser can call harmless.
 */
export type Effect = 'read' | 'write' | 'destroy' | 'exec';

/** What a tool works on. */
export type ToolTarget = 'cluster' | 'container' | 'host';

/** The operator's settings that tools and the way of a call depend on. */
export interface ToolSettings {
  /** Characters of stdout and stderr of one command together. */
  readonly characterLimit: number;
  /** Bytes of one transferred file. */
  readonly maxFileSize: number;
  /** Lets the tools work on the Proxmox host itself. */
  readonly enableHostExec: boolean;
  /** Lets the tools work on the container that this server runs in. */
  readonly allowSelf: boolean;
  /** Only tools with effect `read` are listed and run. */
  readonly readOnly: boolean;
}

export interface ToolContext {
  readonly cluster: ClusterHandle;
  /** What must still hold on the node when the call takes effect; null when the decision rests on nothing there. */
  readonly precondition: Precondition | null;
  /** The containers that the call works on, each with what was decided for it. */
  readonly containers: readonly ContainerTarget[];
  readonly settings: ToolSettings;
  /** Aborted when the client cancels the call or goes away. */
  readonly signal: AbortSignal;
  /** Says how far the call has come; cheap, and sent at most once a second. */
  progress(message: string, done?: number, total?: number): void;
}

/** One container of a call. */
export interface ContainerTarget {
  readonly vmid: number;
  readonly precondition: Precondition | null;
  /** Why nothing may be done to this one; null when the call may work on it. */
  readonly refusal: AppError | null;
}

/** How a call went for one of its containers. */
export interface TargetOutcome {
  readonly vmid: number;
  /** `ok`, or the code of the failure. */
  readonly code: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a tool may use to find the containers of a call. */
export interface TargetSearch {
  readonly cluster: ClusterHandle;
  readonly signal: AbortSignal;
}

export interface ContainerToolContext extends ToolContext {
  readonly container: ContainerHandle;
}

export interface HostToolContext extends ToolContext {
  readonly host: ExecTarget;
}

/** What a tool answers: the same content once as data and once to be read. */
export interface Reply<Data> {
  readonly data: Data;
  /** Made from the data as the client gets it, secrets covered, so that the two never differ. */
  text(data: Data): string;
  /** The data tells of a failure: a command that timed out still has its output so far. */
  readonly isError?: boolean;
  /** Of a call that works on several containers: one outcome for each that was not refused. */
  readonly outcomes?: readonly TargetOutcome[];
}

/** A tool as data. `run` is called by the server's callTool and by nothing else. */
export interface Tool<In = Record<string, unknown>, Data = Record<string, unknown>> {
  readonly name: string;
  readonly title: string;
  /** When to use it and how to recover; read by the model. */
  readonly description: string;
  readonly effect: Effect;
  readonly target: ToolTarget;
  /** The argument that names a local file whose bytes are sent: who agrees to the call agrees to just these bytes. */
  readonly sends?: string;
  /** A strict object: an argument that the model invented is refused instead of ignored. */
  readonly input: z.ZodObject & z.ZodType<In>;
  /** The shape of a success. What is advertised admits failures as well, see schema.ts. */
  readonly output: z.ZodObject & z.ZodType<Data>;
  /**
   * The containers of a call that works on several; left out, a call works on its `vmid`. Each is decided on by itself: `run`
   * finds them in `ctx.containers` and leaves out those with a refusal.
   */
  containers?(input: In, search: TargetSearch): Promise<readonly number[]>;
  run(input: In, ctx: ToolContext): Promise<Reply<Data>>;
}

type Definition<In, Data, Context> = Omit<Tool<In, Data>, 'run' | 'target'> & {
  run(input: In, ctx: Context): Promise<Reply<Data>>;
};

/** A tool that works on the cluster as a whole. */
export function defineTool<In, Data>(definition: Definition<In, Data, ToolContext>): Tool<In, Data> {
  return { ...definition, target: 'cluster' };
}

/** A tool that works on one container, which it finds in `ctx.container`. For its input see `containerInput`. */
export function defineContainerTool<In extends { vmid: number }, Data>(
  definition: Definition<In, Data, ContainerToolContext>,
): Tool<In, Data> {
  return {
    ...definition,
    target: 'container',
    run: (input, ctx) =>
      definition.run(input, { ...ctx, container: ctx.cluster.container(input.vmid, ctx.precondition) }),
  };
}

/**
 * A tool that works on the Proxmox host, which it finds in `ctx.host`. It stays listed while host access
 * is off, so that the model can tell its user how to enable it.
 */
export function defineHostTool<In, Data>(definition: Definition<In, Data, HostToolContext>): Tool<In, Data> {
  return {
    ...definition,
    target: 'host',
    run: async (input, ctx) => {
      // Asked before rules and people are; asked again, so that no way leads past it.
      if (!ctx.settings.enableHostExec) throw hostAccessDisabled();
      return definition.run(input, { ...ctx, host: ctx.cluster.host(ctx.precondition) });
    },
  };
}

export function hostAccessDisabled(): AppError {
  return new AppError(
    'HOST_ACCESS_DISABLED',
    'Operations on the Proxmox host are disabled on this server.',
    'Ask the operator to start the server with ENABLE_HOST_EXEC=true; for work inside a container use proxmox_container_exec_command.',
  );
}

/** The hints that MCP clients base their own confirmations on. */
export interface ToolHints {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** Derived, never stated, so that no tool can call itself more harmless than its effect is. */
export function hintsOf(tool: Tool): ToolHints {
  // What is asked to overwrite a file destroys the old content, whatever the tool does otherwise.
  const overwrites = 'overwrite' in tool.input.shape;
  return {
    readOnlyHint: tool.effect === 'read',
    destructiveHint: tool.effect === 'destroy' || tool.effect === 'exec' || overwrites,
    idempotentHint: tool.effect !== 'exec',
    openWorldHint: tool.effect === 'exec',
  };
}
