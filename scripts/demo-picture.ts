import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Runs the demo and renders its output as docs/demo.svg, the picture in the README. */

const WIDTH = 112;
const LINE = 18;
const CHARACTER = 8.4;
const MARGIN = 20;

/** SVG attributes for the styles of src/cli/output/output.ts. */
const STYLES: Readonly<Record<string, string>> = {
  '1': 'font-weight="bold" fill="#ffffff"',
  '2': 'fill="#8b949e"',
  '31': 'fill="#ff7b72"',
  '32': 'fill="#7ee787"',
  '33': 'fill="#e3b341"',
};

const ESCAPE = '\u001B';
const SGR = new RegExp(`(${ESCAPE}\\[\\d+m)`);

const entry = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
const output = execFileSync(process.execPath, ['--import', 'tsx', entry, 'demo'], {
  env: { ...process.env, FORCE_COLOR: '1' },
  stdio: ['ignore', 'pipe', 'inherit'],
  timeout: 60_000,
}).toString('utf8');

const lines = output.trimEnd().split('\n').flatMap(fold);
const height = lines.length * LINE + 2 * MARGIN;
const width = Math.ceil(WIDTH * CHARACTER + 2 * MARGIN);
const rows = lines.map(
  (line, i) => `<text x="${MARGIN}" y="${MARGIN + (i + 0.8) * LINE}">${draw(line)}</text>`,
);

writeFileSync(
  new URL('../docs/demo.svg', import.meta.url),
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>proxmox-mcp demo</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#e6edf3" xml:space="preserve">
${rows.join('\n')}
</g>
</svg>
`,
);

/** Wraps a long line with its indentation. Escape sequences do not count as width. */
function fold(line: string): string[] {
  const folded: string[] = [];
  const indent = /^ */.exec(line)?.[0] ?? '';
  let rest = line;
  for (;;) {
    const end = indexAtWidth(rest, WIDTH);
    if (end >= rest.length) return [...folded, rest];
    const space = rest.lastIndexOf(' ', end);
    const cut = space > indent.length ? space : end;
    folded.push(rest.slice(0, cut));
    rest = indent + rest.slice(cut).trimStart();
  }
}

function indexAtWidth(text: string, limit: number): number {
  let shown = 0;
  for (const piece of pieces(text)) {
    if (piece.code !== undefined) continue;
    if (shown + piece.text.length > limit) return piece.at + limit - shown;
    shown += piece.text.length;
  }
  return text.length;
}

function draw(line: string): string {
  let style = '';
  return pieces(line)
    .map(({ text, code }) => {
      if (code === undefined) return `<tspan ${style}>${escapeXml(text)}</tspan>`;
      style = STYLES[code] ?? '';
      return '';
    })
    .join('');
}

interface Piece {
  readonly text: string;
  readonly at: number;
  /** The number of an SGR sequence. */
  readonly code?: string;
}

function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const part of line.split(SGR)) {
    const code = part.startsWith(ESCAPE) ? part.slice(2, -1) : undefined;
    if (part !== '') found.push({ text: part, at, ...(code === undefined ? {} : { code }) });
    at += part.length;
  }
  return found;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
