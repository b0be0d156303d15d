import { structuredPatch } from 'diff';
import { visible } from '../../../lib/visible.ts';
import type { Style } from '../../output/output.ts';
import type { FileChange } from './changes.ts';

/** Lines around a change, for orientation. */
const CONTEXT = 2;

/** A change as a diff, secrets covered. */
export function changeText(change: FileChange, style: Style): string {
  const head = change.before === undefined ? `${change.file} (new)` : change.file;
  const { hunks } = structuredPatch('', '', change.before ?? '', change.after, undefined, undefined, {
    context: CONTEXT,
  });
  const lines = hunks.flatMap((hunk, index) => [
    ...(index === 0 ? [] : [style.dim('  …')]),
    ...hunk.lines
      .filter((line) => !line.startsWith('\\'))
      .map((line) => paint(visible(covered(line)), style)),
  ]);
  return [style.bold(head), ...lines].join('\n');
}

function paint(line: string, style: Style): string {
  const text = `${line.slice(0, 1)} ${line.slice(1)}`;
  if (line.startsWith('+')) return style.green(text);
  return line.startsWith('-') ? style.red(text) : style.dim(text);
}

/** What stands behind names of secrets, in an env file as in JSON; also of other servers in the same file. */
function covered(line: string): string {
  return line.replace(
    /((?:PASSWORD|PASSPHRASE|TOKEN|SECRET|API_?KEY)\w*["']?\s*[:=]\s*)(\S.*)$/i,
    '$1••••••',
  );
}
