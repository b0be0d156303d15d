import { visible } from '../../lib/visible.ts';

/** Ignores EPIPE on stdout: a reader that exits early (`| head`) is not an error. */
export function ignoreEpipe(): void {
  ignoreErrors(process.stdout);
}

const handled = new WeakSet<NodeJS.WriteStream>();

/** Adds one error listener per stream. Callers learn of a failed write from its callback. */
function ignoreErrors(stream: NodeJS.WriteStream): void {
  if (handled.has(stream)) return;
  handled.add(stream);
  stream.on('error', () => {});
}

/** Writes to stdout and resolves when the text is written, so that the process can exit. */
export function print(text: string): Promise<void> {
  return write(process.stdout, text);
}

/** Writes to stderr; see `print`. */
export function printError(text: string): Promise<void> {
  return write(process.stderr, text);
}

/** Prints `proxmox-mcp: TEXT` on stderr, wrapped for a terminal. */
export function printMessage(text: string): Promise<void> {
  return printError(`${wrapLines(`proxmox-mcp: ${text}`, proseWidth(process.stderr))}\n`);
}

/**
 * Escapes control characters, so that names and output from containers cannot move the cursor or hide text. Only the escape
 * sequences of `Style` are kept.
 */
export function forTerminal(text: string): string {
  return text
    .split(STYLE_CODES)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');
}

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  ignoreErrors(stream);
  return new Promise((resolve) => {
    stream.write(forTerminal(text), () => resolve());
  });
}

/** Escape sequences for emphasized text; plain text where colors are off. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** SGR codes that turn each style on and off. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
} as const satisfies Record<keyof Style, readonly [number, number]>;

/** A capture group, so that `split` keeps the codes. */
const STYLE_CODES = new RegExp(`(\u001B\\[(?:${[...new Set(Object.values(STYLES).flat())].join('|')})m)`);

export function styleFor(color: boolean): Style {
  const wrap =
    ([on, off]: readonly [number, number]) =>
    (text: string) =>
      color ? `\u001B[${on}m${text}\u001B[${off}m` : text;
  return {
    bold: wrap(STYLES.bold),
    dim: wrap(STYLES.dim),
    red: wrap(STYLES.red),
    green: wrap(STYLES.green),
    yellow: wrap(STYLES.yellow),
  };
}

/**
 * Replaces the current line of the terminal, and keeps the cursor on it; without a text, clears the line. For progress, because
 * `print` escapes control characters.
 */
export function redrawLine(stream: NodeJS.WriteStream, text = ''): void {
  ignoreErrors(stream);
  stream.write(`\r\u001B[2K${forTerminal(text)}`);
}

/** Breaks a text at spaces into lines of at most `width` characters. Longer words are not broken. */
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

/** Wraps each line of a text; see `wrapText`. */
export function wrapLines(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => wrapText(line, width))
    .join('\n');
}

/** The line width for text: that of the terminal, but at least 60 and at most 110 characters. */
export function textWidth(stream: NodeJS.WriteStream): number {
  return Math.min(Math.max(stream.columns ?? 100, 60), 110);
}

/** The line width for prose: as `textWidth` on a terminal; unlimited elsewhere, so that programs can search the lines. */
export function proseWidth(stream: NodeJS.WriteStream): number {
  return stream.isTTY === true ? textWidth(stream) : Number.POSITIVE_INFINITY;
}
