import { errorText } from '../../lib/error-text.ts';
import type { Job } from '../../proxmox/jobs/job-types.ts';
import { groupLines, outputText } from './fleet-text.ts';
import { frameWord } from './format.ts';
import { type JobRow, jobState } from './job-fields.ts';
import { outputSection } from './present-exec.ts';
import type { JobOutput } from './read-job-output.ts';

/** The state of a job, and what was read of its output. */
export function jobText(data: JobRow, { job, ranges = {}, other }: JobOutput): string {
  const word = frameWord();
  const sections = [jobState(job)];
  for (const stream of ['stdout', 'stderr'] as const) {
    const text = data[stream];
    if (text === undefined || text === '') continue;
    const title = stream.toUpperCase();
    const page = ranges[stream];
    const range = page === undefined ? '' : ` (bytes ${page.from} to ${page.next})`;
    sections.push(outputSection(`${title}${range}`, word, text, null));
  }
  if (sections.length === 1)
    sections.push(data.offset === undefined ? '(no output)' : '(no output at this offset)');
  if (data.remaining_bytes !== undefined && data.remaining_bytes > 0) {
    sections.push(`${data.remaining_bytes} bytes follow. Continue with offset ${data.next_offset}.`);
  } else if (data.next_offset !== undefined && data.state === 'running') {
    sections.push(`Continue with offset ${data.next_offset}.`);
  }
  if (other !== undefined) sections.push(`${other} has ${job.output[other].total} bytes.`);
  if (data.error !== undefined)
    sections.push(errorText(String(data.code), data.error, String(data.suggestion)));
  if (data.note !== undefined) sections.push(`Note: ${data.note}`);
  return sections.join('\n\n');
}

/** A paragraph for each of several jobs, or a line if its output is short. */
export function jobsText(rows: readonly JobRow[], jobs: readonly (Job | null)[]): string {
  const word = frameWord();
  return groupLines(rows.map((row, index) => rowText(row, jobs[index] ?? null, word))).join('\n\n');
}

function rowText(row: JobRow, job: Job | null, word: string): string {
  const { stdout = '', stderr = '', truncated, note, code, error } = row;
  if (job === null) return `${code}: ${error}`;
  const state = jobState(job);
  const cut = truncated === true ? ' (cut)' : '';
  const hasEnded = job.end !== null && (job.end.how !== 'exit' || job.end.exitCode === null);
  const title = hasEnded ? `${state}\nOutput${cut}` : `${state.replace(/\.$/, '')}${cut}`;
  const text =
    stdout === '' && stderr === '' ? `${title}: (no output)` : outputText(title, word, { stdout, stderr });
  return note === undefined ? text : `${text}\nNote: ${note}`;
}
