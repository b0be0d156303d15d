import { AppError } from '../../lib/errors.ts';

/** Not in /run, because the output of a job must survive a restart of the node. */
export const JOBS_DIR = '/var/lib/proxmox-mcp/jobs';

export function jobNotFound(id: string): AppError {
  return new AppError(
    'JOB_NOT_FOUND',
    `There is no job ${id.slice(0, 40)} that this caller may see. Jobs are removed a day after their end.`,
    'List the jobs with proxmox_list_jobs.',
  );
}

export function jobsDiskFull(needed: number): AppError {
  return new AppError(
    'DISK_FULL',
    `The disk of ${JOBS_DIR} on the node has less than ${Math.ceil(needed / 1024 / 1024)} MB free for the output of a job. The command was not executed.`,
    {
      model:
        'Tell the user that the disk of the node is full. Short commands run without a job: omit `background`.',
      person: `Free space on the disk of ${JOBS_DIR}, or lower JOB_OUTPUT_LIMIT.`,
    },
  );
}

export function jobNotWritable(text: string): AppError {
  return new AppError(
    'JOB_NOT_STARTED',
    `The job could not be written to ${JOBS_DIR} on the node. The command was not executed.`,
    {
      model: 'Report this to the user. Short commands run without a job: omit `background`.',
      person: `Make sure that ${JOBS_DIR} is writable for the SSH user, or set SUDO=true.`,
    },
    text === '' ? {} : { stderr: text },
  );
}

/** The connection was lost, or the node did not answer, while a job was being started. */
export function startUnknown(id: string): AppError {
  return new AppError(
    'DISCONNECTED',
    `The connection to the node was lost while job ${id} was being started, so the command may be running or not.`,
    `Check with proxmox_get_job whether job ${id} exists, before you repeat the command.`,
  );
}

/** The node did not report the jobs completely. */
export function jobsUnreadable(): AppError {
  return new AppError(
    'DISCONNECTED',
    'The node did not report its jobs in time. They continue.',
    'Call again.',
  );
}
