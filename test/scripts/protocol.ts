import type { Bench } from './cases.ts';
import type { Program, StartOptions } from './machine.ts';

/**
 * The lines that the scripts write and expect. The cases use exit codes, refusals and digests; only this file and
 * transfer-protocol.ts know the lines.
 */

export const NONCE = 'a4d1c05e7b2f4d0c9a6e3b8f1d7c2e50';

export interface CommandResult {
  /** The script reported that the command starts. */
  readonly started: boolean;
  /** null if the script did not report it. */
  readonly exitCode: number | null;
  /** The output of the command itself. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a user's command under exec.sh, until the script has reported the end. */
export async function runCommand(
  { machine, scripts }: Bench,
  command: string,
  options?: StartOptions,
): Promise<CommandResult> {
  const program = machine.start(scripts.exec, [NONCE, command], options);
  const out = () => commandOutput(program.stdout);
  const err = () => commandOutput(program.stderr);
  await program.until(() => out().ended && err().ended);
  const { code } = await program.exited;
  return {
    started: out().began && err().began,
    exitCode: out().ended && err().ended ? code : null,
    stdout: out().text,
    stderr: err().text,
  };
}

function commandOutput(bytes: Buffer): { began: boolean; ended: boolean; text: string } {
  const [before = '', after] = bytes.toString().split(`${NONCE} began\n`);
  const [text = '', rest] = (after ?? before).split(`${NONCE} ended\n`);
  return { began: after !== undefined, ended: rest !== undefined, text };
}

/** A script on the node, which finds its nonce in a variable of the session's shell. */
function onHost(script: string): string {
  return `n=${NONCE}\n${script}`;
}

export interface KillRequest {
  /** Value of the variable that marks the run's processes. */
  readonly run: string;
  readonly slackNs: number;
  readonly softLooks?: number;
  readonly hardLooks?: number;
  /** Clock ticks since boot, not later than the start of the run. */
  readonly since: number;
}

export interface KillReport {
  readonly found: number;
  /** Names of the surviving processes. */
  readonly survivors: readonly string[];
}

export const RUN_VARIABLE = 'PROXMOX_MCP_RUN';

/** Runs kill.sh. @throws Error if it does not finish */
export async function kill(
  bench: Bench,
  request: KillRequest,
  options: StartOptions = {},
): Promise<KillReport> {
  const { run, slackNs, since, softLooks = 4, hardLooks = 40 } = request;
  const args = [
    `${RUN_VARIABLE}=${run}`,
    String(slackNs),
    String(softLooks),
    String(hardLooks),
    String(since),
  ];
  const program = bench.machine.start(onHost(bench.scripts.kill), args, { ...options, isolated: true });
  const { code } = await program.closed;
  const items = itemsOf(program.stdout.toString());
  if (code !== 0) throw new Error(`no end of the report: ${program.stdout}${program.stderr}`);
  return {
    found: Number(items.get('found')?.[0]),
    survivors: (items.get('left') ?? []).flatMap((left) => /^\d+ (.*)$/.exec(left)?.[1] ?? []),
  };
}

/** Collects the output of a script and how it ends. */
export async function finish(program: Program) {
  program.endInput();
  const { code } = await program.closed;
  return { code, stdout: program.stdout.toString(), stderr: program.stderr.toString() };
}

/** The state that a call was decided on; absent values are not checked. */
export interface PreconditionRequest {
  readonly vmid?: string;
  readonly name?: string;
  readonly tags?: readonly string[];
  /** Empty for none; null: not compared. */
  readonly pool?: string | null;
  readonly approvalId?: string;
  readonly claimant?: string;
  /** The lockdown file, on the node. */
  readonly lockdown?: string;
  /** The path of the configuration in the directory of the node. */
  readonly here?: string;
}

export interface PreconditionResult {
  /** The rest of the command line was run. */
  readonly passed: boolean;
  readonly why: string | null;
  readonly code: number | null;
}

/** Runs precondition.sh in front of a command, in one shell. */
export async function checkPrecondition(
  { machine, scripts }: Bench,
  {
    vmid = '',
    name = '',
    tags = [],
    pool = '',
    approvalId = '',
    claimant = '',
    lockdown,
    here,
  }: PreconditionRequest,
): Promise<PreconditionResult> {
  const conf = machine.nodePath(`/etc/pve/nodes/pve/lxc/${vmid}.conf`);
  const fields = [
    ...(lockdown === undefined ? [] : ['lockdown', machine.nodePath(lockdown)]),
    ...(vmid === '' ? [] : ['container', vmid, 'conf', conf]),
    ...(here === undefined ? [] : ['here', machine.nodePath(here)]),
    ...(vmid === '' ? [] : ['name', name, 'tags', tags.join(' ')]),
    ...(vmid === '' || pool === null ? [] : ['pool', pool]),
    ...(approvalId === '' ? [] : ['redeemer', claimant, 'approval', approvalId]),
  ];
  const script = `{ ${onHost(scripts.precondition)}}; echo passed`;
  const { code, stdout } = await finish(machine.start(script, fields));
  const why = new RegExp(`^${NONCE} refused (\\S+)\\n$`).exec(stdout)?.[1] ?? null;
  return { passed: stdout === 'passed\n', why, code };
}

/** Runs a script that reports rows. @returns its text by section, and its items as `item KEY` */
export async function runReport(
  { machine, scripts }: Bench,
  name:
    | 'addresses'
    | 'haState'
    | 'hostKeys'
    | 'inventory'
    | 'inventoryWithNetworks'
    | 'limits'
    | 'members'
    | 'ownContainer'
    | 'probe'
    | 'runState'
    | 'running'
    | 'runningWithNetworks',
  args: readonly string[] = [],
  options?: StartOptions,
): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await finish(machine.start(onHost(scripts[name]), args, options));
  const report = new Map<string, string>();
  let section = '';
  for (const line of stdout.split(/(?<=\n)/)) {
    const [nonce, word, key = '', ...rest] = line.trimEnd().split(' ');
    if (nonce === NONCE && word === 'section') {
      section = key;
      report.set(section, '');
    } else if (nonce === NONCE && word === 'item') report.set(`item ${key}`, rest.join(' '));
    else report.set(section, `${report.get(section) ?? ''}${line}`);
  }
  return report;
}

function itemsOf(stdout: string): ReadonlyMap<string, readonly string[]> {
  const items = new Map<string, string[]>();
  for (const line of stdout.split('\n')) {
    const [nonce, word, key = '', ...rest] = line.split(' ');
    if (nonce === NONCE && word === 'item') items.set(key, [...(items.get(key) ?? []), rest.join(' ')]);
  }
  return items;
}

/** Runs authorized-keys-add.sh or authorized-keys-remove.sh. @returns the reported change; null for a failure */
export async function changeKey(
  { machine, scripts }: Bench,
  change: 'add' | 'remove',
  key: string,
  home: string,
): Promise<string | null> {
  const script = change === 'add' ? scripts.addAuthorizedKey : scripts.removeAuthorizedKey;
  const { stdout } = await finish(machine.start(onHost(script), [key], { env: { HOME: home } }));
  return itemsOf(stdout).get('key')?.[0] ?? null;
}
