import { randomBytes, randomInt } from 'node:crypto';
import { quote, quoteAll } from '../lib/quote.ts';
import { SCRIPTS } from './scripts/index.ts';

/** The properties that identify the processes of one run among all processes of the node. */
export interface RunId {
  /** Value of the marker variable, which descendants inherit unless they clear their environment. */
  readonly id: string;
  /**
   * Timer slack in ns, set on the outermost process. Children inherit it through fork, exec, setsid and a
   * cleared environment (prctl(2), PR_SET_TIMERSLACK), and programs almost never set it. It delays timers
   * by at most half a millisecond; the kernel's default is 50,000 ns.
   */
  readonly slackNs: number;
  /** The first word of frames of the host-side shell. It exists only in the memory of that shell, not in arguments or environment. */
  readonly nonce: string;
  /** The first word of frames of the wrapper inside the container, where every user can read it. */
  readonly innerWord: string;
}

/** The environment variable that carries `RunId.id`. */
export const MARK_VARIABLE = 'PROXMOX_MCP_RUN';

const FULL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** The PATH of users other than root does not include the sbin directories, and a start-up file may set any. */
const PATH_LINE = `export PATH="\${PATH:+$PATH:}${FULL_PATH}"`;
/** Disables colors, because the output does not go to a terminal. */
const LOCALE = ['LANG=C.UTF-8', 'TERM=dumb'] as const;

export function newRunId(): RunId {
  const random = randomBytes(44).toString('hex');
  return {
    id: random.slice(0, 24),
    slackNs: 60_001 + randomInt(490_000),
    nonce: random.slice(24, 56),
    innerWord: random.slice(56),
  };
}

/** The first word of the frames of one request. */
export function newNonce(): string {
  return randomBytes(16).toString('hex');
}

/** The target of a command: one container, or the node itself. */
export type AttachTarget = { readonly kind: 'container'; readonly vmid: number } | { readonly kind: 'host' };

/** The argument vector that runs `script` with the target's own sh, with `args` as $1, $2, … */
export function shellArgv(script: string, args: readonly string[]): string[] {
  return ['/bin/sh', '-c', script, 'sh', ...args];
}

/**
 * A request that replaces the session's shell with `argv` at `target`. It is one compound command, so that a truncated
 * request is a syntax error and runs nothing. `started` on both streams means that the precondition was met.
 * @param check text of the precondition, or empty
 * @param input whether the program reads the channel; otherwise its stdin is empty
 */
export function attachRequest(
  target: AttachTarget,
  run: RunId,
  argv: readonly string[],
  { check = '', input = false }: { readonly check?: string; readonly input?: boolean } = {},
): string {
  const marker = `${MARK_VARIABLE}=${run.id}`;
  const slack = `echo ${run.slackNs} >/proc/self/timerslack_ns`;
  const warm = target.kind === 'container' ? SCRIPTS.warmCgroup : '';
  return oneUse(
    run.nonce,
    `${warm}${check}`,
    `${slack}\n${marker} exec ${enter(target, marker, argv)}`,
    input,
  );
}

/** A request that replaces the session's shell with a command of Proxmox or LXC, with English messages. */
export function commandRequest(nonce: string, argv: readonly string[], check = ''): string {
  const [program = '', ...rest] = argv;
  return oneUse(nonce, check, `export LC_ALL=C\nexec ${quote(program)} ${quoteAll(rest)}`, false);
}

/** Shell text that becomes `argv` at `target`, in a session of its own, for a job. The job sets the timer slack. */
export function jobCommand(target: AttachTarget, run: Pick<RunId, 'id'>, argv: readonly string[]): string {
  const marker = `${MARK_VARIABLE}=${run.id}`;
  return `${marker} exec setsid ${enter(target, marker, argv)}`;
}

/** Discards the shell's own messages, because dash prints words such as `Killed` to stderr. */
function oneUse(nonce: string, check: string, command: string, input: boolean): string {
  const started = `echo '${nonce} started'\necho '${nonce} started' >&4`;
  // Not from /dev/null: lxc-attach changes the owner and mode of its standard streams, unless they are the same device as the
  // /dev/null of the container, which a privileged container can replace.
  const streams = ` 2>&4 4>&-${input ? '' : ' <<E\nE'}`;
  return `{ exec 4>&2 2>/dev/null\n${PATH_LINE}\nunset n\nn=${nonce}\n${check}${started}\n${command}${streams}\n}`;
}

/**
 * A request that runs one of our host-side scripts in a subshell and reports its end, so that the session can be reused.
 * The script gets the nonce as $n and `args` as $1, $2, …
 */
export function scriptRequest(nonce: string, script: string, args: readonly string[], check = ''): string {
  const set = args.length === 0 ? 'set --' : `set -- ${quoteAll(args)}`;
  // A check that hangs must not look like a node that does not respond.
  const checking = check === '' ? '' : `echo "$n checking"\n${check}`;
  const body = `export LC_ALL=C\n${PATH_LINE}\nunset n\nn=${nonce}\n${checking}echo "$n started"\necho "$n started" >&2\n${set}\n${script}`;
  return `{ (\n${body}\n) </dev/null\nset -- $?\necho '${nonce}' exited $1\necho '${nonce}' exited $1 >&2\n}`;
}

/** The command line that runs `argv` at `target` as a part of a run, for a script that runs several of them on the node. */
export function attachCommand(target: AttachTarget, run: RunId, argv: readonly string[]): string {
  return enter(target, `${MARK_VARIABLE}=${run.id}`, argv);
}

function enter(target: AttachTarget, marker: string, argv: readonly string[]): string {
  if (target.kind === 'host') {
    // Only these are expanded by the session's shell, which knows the SSH user.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: for the shell
    const own = 'HOME="$HOME" USER="${USER:-root}" LOGNAME="${LOGNAME:-${USER:-root}}"';
    return `env -i ${own} ${quoteAll([`PATH=${FULL_PATH}`, ...LOCALE, marker, ...argv])}`;
  }
  const variables = [`PATH=${FULL_PATH}`, 'HOME=/root', ...LOCALE, marker];
  const set = variables.flatMap((variable) => ['-v', variable]);
  return quoteAll(['lxc-attach', '-n', String(target.vmid), '--clear-env', ...set, '--', ...argv]);
}
