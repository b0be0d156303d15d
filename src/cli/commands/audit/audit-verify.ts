import type { Config } from '../../../config/settings-schema.ts';
import { reasonOf } from '../../../governance/audit/failures.ts';
import { auditDirOf } from '../../../governance/audit/open-audit-log.ts';
import {
  type ClaimResult,
  type Verification,
  type VerifyOptions,
  verifyDirectory,
} from '../../../governance/audit/verify-dir.ts';
import type { Finding } from '../../../governance/audit/verify-segment.ts';
import { visible } from '../../../lib/visible.ts';
import { wantsColor } from '../../output/config-errors.ts';
import { print, printMessage, type Style, styleFor } from '../../output/output.ts';

/** Maximum number of notes in the text. --json has all of them. Damage is always shown in full. */
const MAX_NOTES = 20;

interface Options {
  readonly json: boolean;
  readonly accept: boolean;
  readonly claim: VerifyOptions['claim'];
}

/** `audit verify`. Exit code 1 when the log is damaged, cannot be verified, or the claim is not proved. */
export async function verify(config: Config, { json, accept, claim }: Options): Promise<void> {
  const dir = auditDirOf(config);
  let verification: Verification;
  try {
    const { stateDir, auditKey } = config;
    verification = await verifyDirectory({ dir, stateDir, auditKey, accept, claim });
  } catch (error) {
    process.exitCode = 1;
    const problem = reasonOf(error);
    if (json) return print(`${JSON.stringify({ ok: false, dir, problem }, null, 2)}\n`);
    await printMessage(`the audit log in ${dir} cannot be verified: ${problem}`);
    return;
  }
  const undamaged = verification.findings.every(({ kind }) => kind === 'note');
  const ok = undamaged && (verification.claim ?? 'proved') === 'proved';
  if (!ok) process.exitCode = 1;
  if (json) return print(`${JSON.stringify({ ok, dir, ...verification }, null, 2)}\n`);
  await print(verificationText(dir, verification, styleFor(wantsColor(process.stdout))));
}

function verificationText(dir: string, verification: Verification, style: Style): string {
  const { segments, entries, calls, complete, findings, claim } = verification;
  const damage = findings.filter(({ kind }) => kind === 'damage');
  const notes = findings.filter(({ kind }) => kind === 'note');
  const more = notes.length - MAX_NOTES;
  const lines = [
    ...notes.slice(-MAX_NOTES).map((note) => `${style.yellow('!')} ${findingText(note, style)}`),
    ...(more > 0 ? [`${style.yellow('!')} ${more} earlier notes; use --json to see all`] : []),
    ...damage.map((each) => `${style.red('✗')} ${findingText(each, style)}`),
  ];
  const claimed = claim === undefined ? [] : [claimText(claim, style)];
  if (segments === 0 && damage.length === 0) {
    return `${[...lines, `The audit log in ${dir} has no entries.`, ...claimed].join('\n')}\n`;
  }
  const counted = `${count(segments, 'segment')}, ${plural(entries, 'entry', 'entries')}, ${count(calls, 'executed call')} in ${dir}`;
  return `${[
    ...lines,
    ...(lines.length > 0 ? [''] : []),
    counted,
    verdictOf(segments - complete, complete, damage.length, style),
    ...claimed,
  ].join('\n')}\n`;
}

/** The verdict. It claims no more than the ledger proves. */
function verdictOf(unended: number, complete: number, damage: number, style: Style): string {
  if (damage > 0) return style.red(`The audit log is DAMAGED: ${count(damage, 'finding')}.`);
  if (unended === 0) return style.green('The audit log is complete and unchanged.');
  const others = complete === 0 ? '' : `${count(complete, 'segment')} complete and unchanged. `;
  return style.green(
    `${others}${count(unended, 'segment')} without an end in the ledger: the present entries are unchanged, but the last ones may be missing.`,
  );
}

function claimText(claim: ClaimResult, style: Style): string {
  switch (claim) {
    case 'proved':
      return style.green('The call was logged with exactly these arguments.');
    case 'other arguments':
      return style.red('The call was logged with DIFFERENT arguments.');
    case 'no such call':
      return style.red('The verified part of the log has no entry of that call.');
    case 'no proof':
      return style.red(
        'The entry of that call has no MAC of its arguments, because an older version wrote it.',
      );
  }
}

function findingText({ segment, text }: Finding, style: Style): string {
  return `${style.dim(visible(segment))} ${visible(text)}`;
}

function count(number: number, noun: string): string {
  return plural(number, noun, `${noun}s`);
}

function plural(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
