import type { Config } from '../../../config/settings-schema.ts';
import { reasonOf } from '../../../governance/audit/failures.ts';
import { auditDirOf } from '../../../governance/audit/open-audit-log.ts';
import { type Verification, verifyDirectory } from '../../../governance/audit/verify-dir.ts';
import type { Finding } from '../../../governance/audit/verify-segment.ts';
import { visible } from '../../../lib/visible.ts';
import { wantsColour } from '../../output/config-errors.ts';
import { print, type Style, styleFor } from '../../output/output.ts';

/** More notes than these are no help; --json has them all. Damage is told in full. */
const MAX_NOTES = 20;

/** `audit verify`: whether the record is what was written. Exit code 1 when it is not, or nobody can tell. */
export async function verify(config: Config, options: { json: boolean; accept: boolean }): Promise<void> {
  const dir = auditDirOf(config);
  let verification: Verification;
  try {
    const { stateDir, auditKey } = config;
    verification = await verifyDirectory({ dir, stateDir, auditKey, accept: options.accept });
  } catch (error) {
    process.exitCode = 1;
    const problem = reasonOf(error);
    if (options.json) return print(`${JSON.stringify({ ok: false, dir, problem }, null, 2)}\n`);
    process.stderr.write(`proxmox-mcp: the record in ${dir} can not be verified: ${problem}\n`);
    return;
  }
  const ok = verification.findings.every(({ kind }) => kind === 'note');
  if (!ok) process.exitCode = 1;
  if (options.json) return print(`${JSON.stringify({ ok, dir, ...verification }, null, 2)}\n`);
  await print(verificationText(dir, verification, styleFor(wantsColour(process.stdout))));
}

function verificationText(dir: string, verification: Verification, style: Style): string {
  const { segments, records, calls, findings, since } = verification;
  const damage = findings.filter(({ kind }) => kind === 'damage');
  const notes = findings.filter(({ kind }) => kind === 'note');
  const more = notes.length - MAX_NOTES;
  const lines = [
    ...notes.slice(-MAX_NOTES).map((note) => `${style.yellow('!')} ${findingText(note, style)}`),
    ...(more > 0 ? [`${style.yellow('!')} ${more} older notes; --json has all`] : []),
    ...damage.map((each) => `${style.red('✗')} ${findingText(each, style)}`),
  ];
  if (segments === 0 && damage.length === 0) {
    return `${[...lines, `There is nothing on record in ${dir}.`].join('\n')}\n`;
  }
  const counted = `${count(segments, 'segment')}, ${count(records, 'record')}, ${count(calls, 'call')} in ${dir}`;
  const compared =
    since === undefined
      ? 'Never verified on this machine: what was removed or cut off before now can not be seen; from now on it is.'
      : `Compared with what was there at ${since}.`;
  const verdict =
    damage.length === 0
      ? style.green(
          since === undefined ? 'What is there is what was written.' : 'The record is what was written.',
        )
      : style.red(`The record is NOT what was written: ${count(damage.length, 'fault')}.`);
  return `${[...lines, ...(lines.length > 0 ? [''] : []), counted, compared, verdict].join('\n')}\n`;
}

function findingText({ segment, text }: Finding, style: Style): string {
  return `${style.dim(visible(segment))} ${visible(text)}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
