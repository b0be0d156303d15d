import type { Job } from '../../proxmox/jobs/job-types.ts';
import type { AuditLog } from './audit-types.ts';

/** The rule that these entries name, because no decision is made about the end of a job. */
const RULE = 'end of a job';

/**
 * Logs the end of a job as a separate entry, because the call that started the job ended long before.
 * @param code `ok`, or the error code
 */
export async function logJobEnd(log: AuditLog, job: Job, code: string): Promise<void> {
  const entry = await log.begin({
    caller: job.caller,
    tool: job.tool,
    effect: 'exec',
    vmid: job.vmid,
    guest: null,
    args: { job: job.id, command: job.command, started: new Date(job.startedAt).toISOString() },
    outcome: 'allow',
    rule: RULE,
    approval: job.approval,
  });
  const { stdout, stderr } = job.output;
  await entry.end({
    code,
    exitCode: job.end?.exitCode ?? null,
    bytes: stdout.total + stderr.total,
    resultText: '',
    durationMs: job.durationMs ?? 0,
    survivors: job.end?.how === 'exit' ? null : (job.end?.survivors?.length ?? null),
  });
}
