import type { Bench } from './cases.ts';
import type { Program, StartOptions } from './machine.ts';

/**
 * What the scripts say and expect, line by line. The cases speak of exit codes, refusals and digests; only this file and
 * transfer-protocol.ts know how they are written.
 */

export const NONCE = 'a4d1c05e7b2f4d0c9a6e3b8f1d7c2e50';

export interface CommandResult {
  /** The script said that the command starts. */
  readonly started: boolean;
  /** null where the script did not report it. */
  readonly exitCode: number | null;
  /** What the command itself wrote. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a user's command under exec.sh, until the exit code is known. */
export async function runCommand(
  { machine, scripts }: Bench,
  command: string,
  options?: StartOptions,
): Promise<CommandResult> {
  const program = machine.start(scripts.exec, [NONCE, command], options);
  const outEnd = () => exitLine.exec(program.stdout.toString());
  const errEnd = () => exitLine.exec(program.stderr.toString());
  await program.until(() => outEnd() !== null && errEnd() !== null);
  const out = program.stdout.toString().slice(0, outEnd()?.index);
  const start = `${NONCE} start\n`;
  const codes = [outEnd()?.[1], errEnd()?.[1]];
  return {
    started: out.includes(start),
    exitCode: codes[0] === undefined || codes[0] !== codes[1] ? null : Number(codes[0]),
    stdout: out.slice(out.indexOf(start) + start.length),
    stderr: program.stderr.toString().slice(0, errEnd()?.index),
  };
}

const exitLine = new RegExp(`${NONCE} exit (\\d+)\\n`);

export interface KillRequest {
  /** Value of the variable that marks the run's processes. */
  readonly run: string;
  readonly slackNs: number;
  readonly softLooks?: number;
  readonly hardLooks?: number;
}

export interface KillReport {
  readonly found: number;
  /** Names of the processes that are left. */
  readonly survivors: readonly string[];
}

export const RUN_VARIABLE = 'PROXMOX_MCP_RUN';

/** Runs kill.sh. @throws Error where it does not come to its end */
export async function kill(bench: Bench, request: KillRequest): Promise<KillReport> {
  const { run, slackNs, softLooks = 4, hardLooks = 40 } = request;
  const args = [`${RUN_VARIABLE}=${run}`, String(slackNs), String(softLooks), String(hardLooks)];
  const program = bench.machine.start(bench.scripts.kill, args, { isolated: true });
  await program.closed;
  const lines = program.stdout.toString().split('\n');
  if (!lines.includes('done')) throw new Error(`no end of the report: ${program.stdout}${program.stderr}`);
  return {
    found: Number(lines.find((line) => line.startsWith('found '))?.slice(6)),
    survivors: lines.flatMap((line) => /^left \d+ (.*)$/.exec(line)?.[1] ?? []),
  };
}

/** Everything that a script writes, and how it ends. */
export async function finish(program: Program) {
  program.endInput();
  const { code } = await program.closed;
  return { code, stdout: program.stdout.toString(), stderr: program.stderr.toString() };
}

/** What a call was decided on; what is absent is not checked. */
export interface PreconditionRequest {
  readonly vmid?: string;
  readonly name?: string;
  readonly tags?: readonly string[];
  /** Empty for none. */
  readonly pool?: string;
  readonly approvalId?: string;
  readonly claimant?: string;
}

export interface PreconditionResult {
  /** What follows on the command line was run. */
  readonly passed: boolean;
  readonly why: string | null;
  readonly code: number | null;
}

/** Runs precondition.sh in front of a command, in one shell. */
export async function checkPrecondition(
  { machine, scripts }: Bench,
  { vmid = '', name = '', tags = [], pool = '', approvalId = '', claimant = '' }: PreconditionRequest,
): Promise<PreconditionResult> {
  const file = machine.nodePath(`/etc/pve/nodes/pve/lxc/${vmid}.conf`);
  const args = [NONCE, vmid, file, name, tags.map((tag) => `${tag} `).join(''), pool, approvalId, claimant];
  return preconditionResult(await finish(machine.start(`{ ${scripts.precondition}}; echo passed`, args)));
}

/** Runs pct-precondition.sh in front of a command. @param programs a folder with `sudo` and `pct` */
export async function checkPreconditionByPct(
  { machine, scripts }: Bench,
  { vmid = '', name = '', tags = [] }: PreconditionRequest,
  programs: string,
): Promise<PreconditionResult & { readonly stderr: string }> {
  const args = [NONCE, vmid, name, tags.map((tag) => `${tag} `).join(''), '15'];
  const end = await finish(machine.start(`{ ${scripts.pctPrecondition}}; echo passed`, args, { programs }));
  return { ...preconditionResult(end), stderr: end.stderr };
}

function preconditionResult({ code, stdout }: { code: number | null; stdout: string }): PreconditionResult {
  const why = new RegExp(`^${NONCE} no (\\w+)\\n$`).exec(stdout)?.[1] ?? null;
  return { passed: stdout === `${NONCE} ok\npassed\n`, why, code };
}

/** Runs a script that reports rows; its output by section where the nonce starts sections, as one text otherwise. */
export async function runReport(
  { machine, scripts }: Bench,
  name: 'inventory' | 'members' | 'probe' | 'probeSudo',
  args: readonly string[] = [],
  options?: StartOptions,
): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await finish(machine.start(scripts[name], [NONCE, ...args], options));
  const sections = stdout.split(new RegExp(`^${NONCE} ?`, 'm')).slice(1);
  return new Map(
    sections.map((section): [string, string] => {
      const end = section.indexOf('\n');
      return [section.slice(0, end), section.slice(end + 1)];
    }),
  );
}

/** Runs authorized-keys-add.sh or authorized-keys-remove.sh. @returns what it says that it did; null for a failure */
export async function changeKey(
  { machine, scripts }: Bench,
  change: 'add' | 'remove',
  key: string,
  home: string,
): Promise<string | null> {
  const script = change === 'add' ? scripts.addAuthorizedKey : scripts.removeAuthorizedKey;
  const { stdout } = await finish(machine.start(script, [NONCE, key], { env: { HOME: home } }));
  return new RegExp(`^${NONCE} (\\w+)\\n$`).exec(stdout)?.[1] ?? null;
}
