import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Runs the demo of the built server (`npm run build`) and draws four of its steps as docs/demo.svg, the picture in the README: a
 * terminal of 80 columns in which the steps appear one after another. Without animation all of them are shown.
 */

const WIDTH = 80;
const LINE = 17;
const CHARACTER = 7.8;
const MARGIN = 18;
const TITLE_BAR = 30;

/** The steps that are drawn, by what their call contains, in the order of the demo. */
const STEPS = ['list_containers', 'df -h /', 'command=reboot', 'setsid'];

/** Seconds from one step to the next. */
const PAUSE = 2;

/** What the demo's styles (src/cli/output.ts) look like. */
const STYLES: Readonly<Record<string, string>> = {
  '1': 'font-weight="bold" fill="#ffffff"',
  '2': 'fill="#8b949e"',
  '31': 'fill="#ff7b72"',
  '32': 'fill="#7ee787"',
  '33': 'fill="#e3b341"',
};

const ESCAPE = '\u001B';
const SGR = new RegExp(`(${ESCAPE}\\[\\d+m)`);

const entry = fileURLToPath(new URL('../dist/bin.js', import.meta.url));
const output = execFileSync(process.execPath, [entry, 'demo'], {
  env: { ...process.env, FORCE_COLOR: '1' },
  stdio: ['ignore', 'pipe', 'inherit'],
  timeout: 60_000,
}).toString('utf8');

const blocks = output.trimEnd().split('\n\n');
const steps = STEPS.map((call, index) => {
  const block = blocks.find((each) => each.includes(call));
  if (block === undefined) throw new Error(`no step of the demo contains "${call}"`);
  return block.replace(/\d+ {2}/, `${index + 1}  `);
});
const frames = [`${ESCAPE}[32m$${ESCAPE}[39m ${ESCAPE}[1mproxmox-mcp demo${ESCAPE}[22m`, ...steps].map(
  (block) => block.split('\n').flatMap(fold),
);

let row = 0;
const groups = frames.map((lines, index) => {
  const rows = lines.map((line, at) => {
    const y = TITLE_BAR + MARGIN + (row + at + 0.8) * LINE;
    return `<text x="${MARGIN}" y="${y.toFixed(1)}">${draw(line)}</text>`;
  });
  row += lines.length + 1;
  return `<g class="frame" style="animation-delay:${index === 0 ? 0 : (index - 1) * PAUSE + 1}s">\n${rows.join('\n')}\n</g>`;
});
const height = TITLE_BAR + (row - 1) * LINE + 2 * MARGIN;
const width = Math.ceil(WIDTH * CHARACTER + 2 * MARGIN);
const buttons = ['#ff5f57', '#febc2e', '#28c840'].map(
  (color, index) =>
    `<circle cx="${MARGIN + 6 + index * 20}" cy="${TITLE_BAR / 2 + 4}" r="6" fill="${color}"/>`,
);

writeFileSync(
  new URL('../docs/demo.svg', import.meta.url),
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>proxmox-mcp demo</title>
<style>
@media (prefers-reduced-motion: no-preference) {
  .frame { animation: appear 0.3s ease-out backwards; }
  @keyframes appear { from { opacity: 0; } }
}
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${buttons.join('\n')}
<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#e6edf3" xml:space="preserve">
${groups.join('\n')}
</g>
</svg>
`,
);

/** Wraps a long line and keeps its indentation; styles do not count as width. */
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
  /** Of an SGR sequence. */
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
