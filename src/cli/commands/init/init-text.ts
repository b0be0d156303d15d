import { structuredPatch } from 'diff';
import { visible } from '../../../lib/visible.ts';
import type { Style } from '../../output/output.ts';
import type { FileChange } from './changes.ts';

/** Lines of context around a change. */
const CONTEXT = 2;

/** A change as a diff, with secrets redacted. */
export function changeText(change: FileChange, style: Style): string {
  const head = change.before === undefined ? `${change.file} (new)` : change.file;
  const { hunks } = structuredPatch('', '', change.before ?? '', change.after, undefined, undefined, {
    context: CONTEXT,
  });
  const lines = hunks.flatMap((hunk, index) => [
    ...(index === 0 ? [] : [style.dim('  …')]),
    ...hunk.lines
      .filter((line) => !line.startsWith('\\'))
      .map((line) => paint(visible(redacted(line)), style)),
  ]);
  return [style.bold(head), ...lines].join('\n');
}

function paint(line: string, style: Style): string {
  const text = `${line.slice(0, 1)} ${line.slice(1)}`;
  if (line.startsWith('+')) return style.green(text);
  return line.startsWith('-') ? style.red(text) : style.dim(text);
}

/** Redacts the values of names that look like secrets, in env files and JSON, also those of other servers in the file. */
function redacted(line: string): string {
  return line.replace(
    /((?:PASSWORD|PASSPHRASE|TOKEN|SECRET|API_?KEY)\w*["']?\s*[:=]\s*)(\S.*)$/i,
    '$1••••••',
  );
}
