import { visible } from '../lib/visible.ts';

/** A reader that has left (`| head`) is no failure. */
export function tolerateLeavers(): void {
  tolerate(process.stdout);
}

const tolerant = new WeakSet<NodeJS.WriteStream>();

/** One listener for the life of a stream: a write that fails is told to its callback as well. */
function tolerate(stream: NodeJS.WriteStream): void {
  if (tolerant.has(stream)) return;
  tolerant.add(stream);
  stream.on('error', () => {});
}

/** Writes to stdout and resolves when it is out, so that the process may end. */
export function print(text: string): Promise<void> {
  return write(process.stdout, text);
}

/** The same for stderr. */
export function printError(text: string): Promise<void> {
  return write(process.stderr, text);
}

/** What we write ourselves: styles, and the line that is written over. All else of the kind came with somebody's text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const OURS = /((?:\r)?\x1b\[(?:\d{1,2}m|2K))/;

/** The text as it may be shown: names and output from containers move no cursor and hide nothing. */
export function forTerminal(text: string): string {
  return text
    .split(OURS)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');
}

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  tolerate(stream);
  return new Promise((resolve) => {
    stream.write(forTerminal(text), () => resolve());
  });
}

/** What to write for parts of a text that shall stand out; plain where colours would not be seen as such. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

export function styleFor(colour: boolean): Style {
  const wrap = (on: number, off: number) => (text: string) =>
    colour ? `\u001B[${on}m${text}\u001B[${off}m` : text;
  return {
    bold: wrap(1, 22),
    dim: wrap(2, 22),
    red: wrap(31, 39),
    green: wrap(32, 39),
    yellow: wrap(33, 39),
  };
}

/** Breaks a text at spaces into lines of at most `width` characters; longer words stay whole. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** How wide a text may be: the terminal, within what still reads well. */
export function textWidth(stream: NodeJS.WriteStream): number {
  return Math.min(Math.max(stream.columns ?? 100, 60), 110);
}
