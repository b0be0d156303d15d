import { basicPrograms } from './basic.ts';
import { fileQueryPrograms } from './file-queries.ts';
import { filePrograms } from './files.ts';
import { find } from './find.ts';
import { grep } from './grep.ts';
import { launchers } from './launchers.ts';
import { processPrograms } from './process-programs.ts';
import type { Program } from './program.ts';
import { sed } from './sed.ts';
import { tail } from './tail.ts';
import { tar } from './tar.ts';
import { textPrograms } from './text.ts';

/** The programs that every machine has. */
export const commonPrograms: readonly (readonly [string, Program])[] = [
  ...basicPrograms,
  ...textPrograms,
  ...filePrograms,
  ...fileQueryPrograms,
  ...launchers,
  ...processPrograms,
  ['grep', grep],
  ['egrep', grep],
  ['fgrep', grep],
  ['sed', sed],
  ['tail', tail],
  ['tar', tar],
  ['find', find],
];
