import { isUtf8 } from 'node:buffer';
import type { Part } from '../../lib/redactor.ts';
import { unifiedDiff } from '../../lib/unified-diff.ts';
import type { Cleaner } from '../exec/output-buffer.ts';
import { charactersIn } from '../exec/truncate.ts';

/** A diff that takes longer to find than this, in ms, is not shown. */
const LIMIT_MS = 2_000;

export interface ShownDiff {
  /** Unified; empty if it is too long to be found in time. */
  readonly text: string;
  readonly added: number;
  readonly removed: number;
  /** Whether it was cut. */
  readonly cut: boolean;
}

/**
 * The differences between two versions of a file. Secrets are redacted in the whole of both versions before they are compared,
 * because a line of a key alone cannot be recognized.
 */
export async function showDiff(
  before: Buffer,
  after: Buffer,
  cleaner: Cleaner,
  characterLimit: number,
): Promise<ShownDiff> {
  const [old, changed] = await Promise.all([cleanText(before, cleaner), cleanText(after, cleaner)]);
  const lines = unifiedDiff(old, changed, { context: 3, timeoutMs: LIMIT_MS });
  if (lines === undefined) return { text: '', added: 0, removed: 0, cut: true };
  const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
  const shown: string[] = [];
  let left = characterLimit;
  for (const line of lines) {
    left -= charactersIn(line) + 1;
    if (left < 0) break;
    shown.push(line);
  }
  return { text: shown.join('\n'), added: count('+'), removed: count('-'), cut: shown.length < lines.length };
}

async function cleanText(content: Buffer, cleaner: Cleaner): Promise<string> {
  const parts = await cleaner.parts(content.toString(isUtf8(content) ? 'utf8' : 'latin1'));
  return parts.map(({ shown }: Part) => shown).join('');
}
