import { randomBytes, randomInt } from 'node:crypto';
import { quote, quoteAll } from '../lib/quote.ts';
import { SCRIPTS } from './scripts/index.ts';

/** What makes one run recognisable among all processes of the node, whatever it does to itself. */
export interface RunId {
  /** Value of the marker variable; every descendant inherits it unless it clears its environment. */
  readonly id: string;
  /**
   * Timer slack in ns, set on the outermost process. Children inherit it through fork, exec, setsid and a
   * cleared environment (prctl(2), PR_SET_TIMERSLACK), and hardly a program ever sets it. It delays timers
   * by at most half a millisecond; the kernel's default is 50,000 ns.
   */
  readonly slackNs: number;
  /** Starts the lines with which the wrapper reports; random, so that no output can be taken for one. */
  readonly nonce: string;
}

/** The environment variable that carries `RunMark.id`. */
export const MARK_VARIABLE = 'PROXMOX_MCP_RUN';

const FULL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Nobody sees the output on a terminal, so no program shall paint it. */
const LOCALE = ['LANG=C.UTF-8', 'TERM=dumb'] as const;

export function newRunId(): RunId {
  return {
    id: randomBytes(12).toString('hex'),
    slackNs: 60_001 + randomInt(490_000),
    nonce: randomBytes(16).toString('hex'),
  };
}

/** How commands get into a container: directly, or through `pct exec` at 45 times the price. */
export type AttachMethod = 'lxc-attach' | 'pct';

/** Where a command line leads: one container, or the node itself. */
export type AttachTarget =
  | {
      readonly kind: 'container';
      readonly vmid: number;
      readonly method: AttachMethod;
      readonly sudo: boolean;
    }
  | { readonly kind: 'host'; readonly sudo: boolean };

/** `sudo -n` never asks for a password: where rules don't allow the command it fails at once. */
export function asRoot(argv: readonly string[], sudo: boolean): string[] {
  return sudo ? ['sudo', '-n', ...argv] : [...argv];
}

/** The line for sshd's login shell that runs `argv` as root at `entry`, recognisable by `mark`. */
export function buildCommandLine(entry: AttachTarget, mark: RunId, argv: readonly string[]): string {
  const marker = `${MARK_VARIABLE}=${mark.id}`;
  const setSlack = `{ echo ${mark.slackNs} >/proc/self/timerslack_ns; } 2>/dev/null`;
  if (entry.kind === 'host' && !entry.sudo) {
    // Whoever logs in keeps the own home; these two are expanded by the login shell, and nothing else is.
    const own = 'HOME="$HOME" USER="$USER" LOGNAME="$USER"';
    const clean = quoteAll([`PATH=${FULL_PATH}`, ...LOCALE, marker]);
    return `${setSlack}; ${marker} exec env -i ${own} ${clean} ${quoteAll(argv)}`;
  }
  return `${setSlack}; ${marker} exec ${quoteAll(asRoot(enter(entry, marker, argv), entry.sudo))}`;
}

function enter(entry: AttachTarget, marker: string, argv: readonly string[]): string[] {
  const variables = [`PATH=${FULL_PATH}`, 'HOME=/root', ...LOCALE, marker];
  if (entry.kind === 'host') return ['env', '-i', ...variables, 'USER=root', 'LOGNAME=root', ...argv];
  const vmid = String(entry.vmid);
  // Releases of `pct exec` before PVE 8.2 know no way to start with a clean environment.
  if (entry.method === 'pct') return ['pct', 'exec', vmid, '--', 'env', '-i', ...variables, ...argv];
  const set = variables.flatMap((variable) => ['-v', variable]);
  return ['lxc-attach', '-n', vmid, '--clear-env', ...set, '--', ...argv];
}

/** The argument vector that runs `script` under the far side's own sh, with `args` as $1, $2, … */
export function shellArgv(script: string, args: readonly string[]): string[] {
  return ['/bin/sh', '-c', script, 'sh', ...args];
}

/** The argument vector that runs the user's command under the wrapper (see exec.sh). */
export function runArgv(mark: RunId, command: string): string[] {
  return shellArgv(SCRIPTS.exec, [mark.nonce, command]);
}

/** A line that runs a script of ours on the node itself, outside any container. */
export function nodeScriptLine(script: string, args: readonly string[], sudo: boolean): string {
  return `exec ${quoteAll(asRoot(shellArgv(script, args), sudo))}`;
}

/** A line for one of Proxmox's or LXC's own commands. */
export function nodeCommandLine(argv: readonly string[], sudo: boolean): string {
  // Without LC_ALL the texts that failures are told apart by would be translated. Users other than root have no sbin
  // in their PATH, and pct shall say itself that they may not use it.
  const [program = '', ...rest] = asRoot(argv, sudo);
  return `export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"; exec ${quote(program)} ${quoteAll(rest)}`;
}
