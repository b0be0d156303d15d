import { expect } from 'vitest';
import * as z from 'zod';
import { runCli } from './run.ts';

const report = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({
      id: z.string(),
      verdict: z.enum(['ok', 'warn', 'fail', 'skipped']),
      detail: z.string(),
      remedy: z.string().optional(),
      code: z.string().optional(),
    }),
  ),
});

/** The checks that require a login, in order. */
export const AFTER_LOGIN = [
  'proxmox',
  'rights',
  'attach',
  'cluster-files',
  'quorum',
  'containers',
  'own-container',
  'latency',
  'clock',
];

/** Runs the doctor with --json and returns the check with this id; of several, the last one. */
export async function examine(cwd: string, env: Record<string, string>, args: readonly string[] = []) {
  const { code, stdout, stderr } = await runCli(['doctor', '--json', ...args], { cwd, env });
  expect(stderr).toBe('');
  const { ok, checks } = report.parse(JSON.parse(stdout));
  const of = (id: string) => {
    const check = checks.findLast((each) => each.id === id);
    expect(check, `${id} in ${stdout}`).toBeDefined();
    return check;
  };
  const with_ = (verdict: string) => checks.filter((each) => each.verdict === verdict).map(({ id }) => id);
  return { code, ok, checks, of, failed: with_('fail'), warned: with_('warn'), skipped: with_('skipped') };
}
