import { randomBytes } from 'node:crypto';
import { AppError } from '../../lib/errors.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import {
  type AttachTarget,
  jobCommand,
  MARK_VARIABLE,
  newRunId,
  shellArgv,
} from '../../remote/session-requests.ts';
import { JOBS_DIR, jobNotWritable, jobsDiskFull, startUnknown } from './job-errors.ts';
import type { StoredAbout } from './job-record.ts';
import type { JobStart } from './job-types.ts';

const START_LIMIT_MS = 15_000;
/** The files that job-run.sh keeps of both streams have at most this many units in all. */
const UNITS = 64;
/** Bytes that must be free on the disk of the jobs beyond the output of the new one. */
const RESERVE = 64 * 1024 * 1024;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** 80 random bits, so that the id of a job of another caller cannot be guessed. */
export function newJobId(): string {
  return [...randomBytes(16)].map((byte) => ALPHABET[byte % 32]).join('');
}

/**
 * Starts `command` at `target` as a job, which continues without this server and without a connection.
 * @returns its id
 * @throws AppError if the precondition fails or the job cannot be written (nothing was run), or the connection was lost (it may run)
 */
export async function startJob(
  shell: RemoteShell,
  target: AttachTarget,
  command: string,
  precondition: ActivePrecondition | null,
  options: JobStart,
): Promise<string> {
  const id = newJobId();
  const run = newRunId();
  const { tool, caller, approval, timeoutS, outputLimit, signal } = options;
  const about: StoredAbout = {
    tool,
    caller,
    vmid: target.kind === 'container' ? target.vmid : null,
    command,
    timeoutS,
    startedAt: Date.now(),
    approval,
    run: run.id,
    slackNs: run.slackNs,
    innerWord: run.innerWord,
  };
  const unit = Math.max(1024, Math.floor(outputLimit / UNITS / 1024) * 1024);
  const args = [
    JOBS_DIR,
    id,
    JSON.stringify(about),
    jobCommand(target, run, shellArgv(SCRIPTS.exec, [run.innerWord, command])),
    SCRIPTS.jobRun,
    SCRIPTS.kill,
    `${MARK_VARIABLE}=${run.id}`,
    String(run.slackNs),
    String(timeoutS),
    String(unit),
    run.innerWord,
    String(outputLimit + RESERVE),
  ];
  const output = await shell.script(SCRIPTS.jobStart, args, {
    timeoutMs: START_LIMIT_MS,
    precondition,
    priority: 'work',
    signal,
    once: true,
  });
  const items = new Map(output.items);
  if (items.has('started')) return id;
  const [why, ...text] = (items.get('failed') ?? '').split(' ');
  if (why === 'full') throw jobsDiskFull(outputLimit + RESERVE);
  if (why === 'unwritable') throw jobNotWritable(text.join(' '));
  if (output.ended === 'exit') throw jobNotWritable(output.stderr.trim());
  if (output.ended === 'cancelled' && signal.aborted) {
    throw new AppError(
      'CANCELLED',
      `The call was cancelled while job ${id} was being started.`,
      `Check with proxmox_get_job whether job ${id} runs.`,
    );
  }
  throw startUnknown(id);
}
