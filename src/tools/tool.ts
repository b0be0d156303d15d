import type * as z from 'zod';
import type { Caller } from '../lib/caller.ts';
import { AppError } from '../lib/errors.ts';
import type { Toolset } from '../lib/toolsets.ts';
import type { ClusterHandle, ContainerHandle, ExecTarget } from '../proxmox/proxmox-types.ts';
import type { Precondition } from '../remote/remote-types.ts';

/**
 * The effect of a tool in one word. The hints for clients are derived from it, and READ_ONLY allows only `read`. `exec` runs
 * free-form commands, whose effect cannot be determined by a parser.
 */
export type Effect = 'read' | 'write' | 'destroy' | 'exec';

/**
 * One of several decisions that a call needs, such as reading at its source and writing at its target. Rules decide on each
 * part as on a separate call; all parts must be allowed.
 */
export interface CallPart {
  /** For messages, approval questions and `preconditionOf`: `source`, `target`, `validate`. */
  readonly role: string;
  /** The container; null: the node itself. */
  readonly vmid: number | null;
  readonly effect: Effect;
  readonly discloses?: boolean;
  /** A command that the call runs besides its own work. Rules see this part as a call of `tool` with it. */
  readonly runs?: { readonly tool: string; readonly command: string };
}

/** What a tool works on. */
export type ToolTarget = 'cluster' | 'container' | 'host';

/** The operator's settings that tools and the call pipeline use. */
export interface ToolSettings {
  /** Maximum characters of stdout and stderr of one command together. */
  readonly characterLimit: number;
  /** Seconds after which a command that may run longer is reported as a job; undefined if calls wait for the end. */
  readonly waitLimit?: number | undefined;
  /** Maximum bytes of output that are kept of one job. */
  readonly jobOutputLimit: number;
  /** Maximum bytes of one transferred file. */
  readonly maxFileSize: number;
  /** Allows tools to work on the Proxmox host itself. */
  readonly enableHostExec: boolean;
  /** Lets the tools work on the container that this server runs in. */
  readonly allowSelf: boolean;
  /** Only tools with effect `read` are listed and run. */
  readonly readOnly: boolean;
  /** Only tools of these groups are listed and run. */
  readonly toolsets: readonly Toolset[];
}

export interface ToolContext {
  readonly cluster: ClusterHandle;
  /** What must be unchanged on the node when the call takes effect; null if the decision depends on nothing there. */
  readonly precondition: Precondition | null;
  /** The same for a part of the call. */
  preconditionOf(role: string): Precondition | null;
  /** The containers of the call, each with its decision. */
  readonly containers: readonly ContainerTarget[];
  readonly caller: Caller;
  readonly settings: ToolSettings;
  /** Aborted when the client cancels the call or disconnects. */
  readonly signal: AbortSignal;
  /** Whether the client receives progress. */
  readonly showsProgress: boolean;
  /**
   * Reports progress. Cheap; sent at most once a second.
   * @param recent the end of an output; its last line is sent, redacted
   */
  progress(message: string, done?: number, total?: number, recent?: () => string): void;
}

/** A container that a call on several selects. */
export interface SelectedContainer {
  readonly vmid: number;
  /** null if no such container exists. */
  readonly name: string | null;
  readonly node: string | null;
  /** Why no command can run in it, for example because it is stopped; known before any decision. null if commands can run. */
  readonly skipped: AppError | null;
}

/** One container of a call, with the decision on it. */
export interface ContainerTarget extends Omit<SelectedContainer, 'skipped'> {
  readonly precondition: Precondition | null;
  /** Why this container is excluded: it was skipped, or the policy refuses it. null if it is not excluded. */
  readonly refusal: AppError | null;
  /** Why the contents of `alsoDiscloses` must be left out; null if they may be returned. */
  readonly withheld: AppError | null;
}

/** The outcome of a call for one of its containers. */
export interface TargetOutcome {
  readonly vmid: number;
  /** `ok`, or the error code. */
  readonly code: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The means by which a tool finds the containers of a call. */
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

/** The result of a tool: the same content as data and as text. */
export interface Reply<Data> {
  readonly data: Data;
  /** Generates the text from the redacted data, so that text and data agree. */
  text(data: Data): string;
  /** The redacted data as it is sent, if all of it may be too long; the text is generated from all of it. */
  fit?(data: Data): Data;
  /** The data describes an error, such as a timeout with the output so far. */
  readonly isError?: boolean;
  /** For a call on several containers: one outcome for each that was not refused. */
  readonly outcomes?: readonly TargetOutcome[];
}

/** The definition of a tool. Only stage run of the call pipeline calls `run`. */
export interface Tool<In = Record<string, unknown>, Data = Record<string, unknown>> {
  readonly name: string;
  readonly title: string;
  /** For the model: when to use the tool and how to recover from errors. */
  readonly description: string;
  readonly toolset: Toolset;
  readonly effect: Effect;
  /**
   * Returns contents of the containers, such as files or logs. Under READ_ONLY such a tool needs a rule that allows it by name.
   */
  readonly discloses?: boolean;
  /**
   * The result is text of a container. MCP clients get it once, as text, because some show the model only `structuredContent`
   * where it exists and others show only the text. So the text must contain everything that the model needs.
   */
  readonly textOnly?: boolean;
  readonly target: ToolTarget;
  /** The argument with the local file that is sent. An approval applies only to the bytes that the file had when it was requested. */
  readonly sends?: string;
  /** A strict object: unknown arguments are refused instead of ignored. */
  readonly input: z.ZodObject & z.ZodType<In>;
  /** The data of a success. The advertised schema also allows errors, see tool-schema.ts. */
  readonly output: z.ZodObject & z.ZodType<Data>;
  /**
   * The containers of a call on several, see `selectContainers`; if omitted, a call works on its `vmid`. Each container has
   * its own decision. `run` finds them in `ctx.containers` and must skip those with a refusal.
   * @throws AppError if none is selected
   */
  containers?(input: In, search: TargetSearch): Promise<readonly SelectedContainer[]>;
  /**
   * The command that a call on several containers runs in one of them, if it has a different one for each. Each container is
   * decided on, approved and logged with its command.
   */
  commandIn?(input: In, vmid: number): string | undefined;
  /**
   * The tool whose permission a call needs for contents of containers that it returns besides its own result, such as log
   * lines; null if it returns none. Where the permission is missing, the tool must leave them out (`withheld` of its targets).
   */
  alsoDiscloses?(input: In): Tool | null;
  /** The parts of a call that needs several decisions, the one with the tool's own effect first; if omitted, it has one. */
  parts?(input: In): readonly CallPart[];
  run(input: In, ctx: ToolContext): Promise<Reply<Data>>;
}

type Definition<In, Data, Context> = Omit<Tool<In, Data>, 'run' | 'target'> & {
  run(input: In, ctx: Context): Promise<Reply<Data>>;
};

/** A tool that works on the cluster as a whole. */
export function defineTool<In, Data>(definition: Definition<In, Data, ToolContext>): Tool<In, Data> {
  return { ...definition, target: 'cluster' };
}

/** A tool that works on one container, `ctx.container`. For its input see `containerInput`. */
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

/** The name of the container that a call works on, as verified on the node; absent if the decision did not need it. */
export function nameOfTarget({ precondition }: Pick<ToolContext, 'precondition'>): { name?: string } {
  const name = precondition?.attributes?.name;
  return name === undefined ? {} : { name };
}

/** A tool that works on several containers, `ctx.containers`. For its input see `targetInput`. */
export function defineContainersTool<In, Data>(
  definition: Definition<In, Data, ToolContext> & Required<Pick<Tool<In, Data>, 'containers'>>,
): Tool<In, Data> {
  return { ...definition, target: 'container' };
}

/** A tool that works on several targets, each with its own decision. */
export function defineMultiPartTool<In, Data>(
  definition: Definition<In, Data, ToolContext> & Required<Pick<Tool<In, Data>, 'parts'>>,
): Tool<In, Data> {
  return { ...definition, target: 'container' };
}

/**
 * A tool that works on the Proxmox host, `ctx.host`. It is listed even if host access is disabled, so that the model knows
 * that the operator can enable it.
 */
export function defineHostTool<In, Data>(definition: Definition<In, Data, HostToolContext>): Tool<In, Data> {
  return {
    ...definition,
    target: 'host',
    run: async (input, ctx) => {
      // Stage decide has checked this too. Checked again, so that no caller of `run` can bypass it.
      if (!ctx.settings.enableHostExec) throw hostAccessDisabled();
      return definition.run(input, { ...ctx, host: ctx.cluster.host(ctx.precondition) });
    },
  };
}

export function hostAccessDisabled(): AppError {
  return new AppError(
    'HOST_ACCESS_DISABLED',
    'Operations on the Proxmox host are disabled on this server (ENABLE_HOST_EXEC is not true). The call was not executed.',
    {
      model:
        'For work inside a container, use proxmox_container_exec_command. Otherwise tell the user that host access is disabled. Do not work around this.',
      person: 'To enable operations on the host, set ENABLE_HOST_EXEC=true.',
    },
  );
}

/** The hints by which MCP clients decide whether to ask the user. */
export interface ToolHints {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** Derived from the effect, so that no tool can declare itself less dangerous than it is. */
export function hintsOf(tool: Tool): ToolHints {
  // Overwriting destroys the old content of a file, regardless of the other effects of the tool.
  const overwrites = 'overwrite' in tool.input.shape;
  // A command that a tool runs besides its own work may do anything.
  const runs = tool.effect === 'exec' || 'validate' in tool.input.shape;
  return {
    readOnlyHint: tool.effect === 'read',
    destructiveHint: tool.effect === 'destroy' || runs || overwrites,
    idempotentHint: !runs,
    openWorldHint: runs,
  };
}
