import { receiveFile } from './receive-file.ts';
import { reportRun } from './report-run.ts';
import { sendFile } from './send-file.ts';
import type { Start } from './start.ts';
import { sweep } from './sweep.ts';

/** What a script does that just-bash could not do: it streams, or deals with processes. `args` are its $1, $2, … */
export type Role = (start: Start, args: readonly string[]) => Promise<number>;

/**
 * Tells by what it says on the wire, and by what it looks at, which part a script plays. Such a script speaks a documented
 * protocol (docs/how-it-works.md); the simulator plays the part instead of interpreting the text, for
 * just-bash has neither processes nor streams. Anything else is interpreted.
 */
export function recognise(script: string): Role | undefined {
  const says = (...words: readonly string[]) => words.every((word) => script.includes(word));
  if (says("'%s start\\n'", "'%s exit %d\\n'", '-c "$2"')) return reportRun;
  if (says('/environ', 'timerslack_ns', 'echo "found', 'echo "left', 'echo done')) return sweep;
  if (says('%s fail %s', 'ready', 'published', 'sha256sum')) return receiveFile;
  if (says('%s fail %s', 'ready', '%s done %s', 'sha256sum')) return sendFile;
  return undefined;
}
