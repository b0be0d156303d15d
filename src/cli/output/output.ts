import { visible } from '../../lib/visible.ts';

/** A reader that has left (`| head`) is no failure. */
export function ignoreEpipe(): void {
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

/**
 * The text as it may be shown: names and output from containers move no cursor and hide nothing. Only the codes of `Style`
 * pass; what else there is of the kind came with somebody's text.
 */
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

/** Numbers of SGR that turn each style on and off. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
} as const satisfies Record<keyof Style, readonly [number, number]>;

/** In parentheses, so that `split` keeps them. */
const OURS = new RegExp(`(\u001B\\[(?:${[...new Set(Object.values(STYLES).flat())].join('|')})m)`);

export function styleFor(colour: boolean): Style {
  const wrap =
    ([on, off]: readonly [number, number]) =>
    (text: string) =>
      colour ? `\u001B[${on}m${text}\u001B[${off}m` : text;
  return {
    bold: wrap(STYLES.bold),
    dim: wrap(STYLES.dim),
    red: wrap(STYLES.red),
    green: wrap(STYLES.green),
    yellow: wrap(STYLES.yellow),
  };
}

/**
 * Writes over the line of a terminal that the cursor is in, and leaves it there; with nothing, clears it. For what is waited
 * for: `print` lets no text do that.
 */
export function redrawLine(stream: NodeJS.WriteStream, text = ''): void {
  tolerate(stream);
  stream.write(`\r\u001B[2K${forTerminal(text)}`);
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

/** How wide prose may be: as `textWidth` on a terminal; elsewhere lines are not broken, so that programs can search them. */
export function proseWidth(stream: NodeJS.WriteStream): number {
  return stream.isTTY === true ? textWidth(stream) : Number.POSITIVE_INFINITY;
}
