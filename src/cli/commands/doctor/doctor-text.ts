import { formatDuration } from '../../../lib/duration.ts';
import { visible } from '../../../lib/visible.ts';
import { type Style, wrapText } from '../../output/output.ts';
import { CHECKS, type Check } from './check.ts';

const TITLE_WIDTH = Math.max(...Object.values(CHECKS).map((title) => title.length));
/** Width of the mark, a space, the title and two spaces. */
const INDENT = 2 + TITLE_WIDTH + 2;

/** One check as text: mark, title, finding, duration, remedy. */
export function checkText(result: Check, style: Style, width: number): string {
  // Names and messages come from the node, so control characters are escaped.
  const check = { ...result, detail: visible(result.detail), remedy: visible(result.remedy ?? '') };
  const marks = {
    ok: style.green('✓'),
    warn: style.yellow('!'),
    fail: style.red('✗'),
    skipped: style.dim('–'),
  };
  const available = Math.max(width - INDENT, 30);
  const paint = check.verdict === 'fail' ? style.bold : (text: string) => text;
  // Durations under a second are omitted. The duration is part of the text, so that it is wrapped with it.
  const took = check.ms === undefined || check.ms < 1000 ? '' : ` (${formatDuration(check.ms)})`;
  const [first = '', ...more] = wrapText(`${check.detail}${took}`, available).map(paint);
  const indent = ' '.repeat(INDENT);
  const lines = [`${marks[check.verdict]} ${check.title.padEnd(TITLE_WIDTH)}  ${first}`];
  lines.push(...more.map((line) => indent + line));
  const [advice = '', ...commands] = check.remedy.split('\n');
  for (const [index, line] of (advice === '' ? [] : wrapText(advice, available - 2)).entries()) {
    lines.push(`${indent}${index === 0 ? style.yellow('→') : ' '} ${line}`);
  }
  // Commands are neither wrapped nor indented, so that they can be copied.
  lines.push(...commands.map((line) => style.bold(line)));
  return `${lines.join('\n')}\n`;
}

/** Consecutive skipped checks on one line: ten lines of "skipped" would hide the failure. */
export function skippedText(skipped: readonly Check[], style: Style, width: number): string {
  if (skipped.length === 0) return '';
  const names = [...new Set(skipped.map(({ title }) => title))].join(', ');
  const [first = '', ...more] = wrapText(`skipped because an earlier check failed: ${names}`, width - 2);
  return [`${style.dim('–')} ${style.dim(first)}`, ...more.map((line) => `  ${style.dim(line)}`), ''].join(
    '\n',
  );
}

/** The last line: everything works, or the first failure and its remedy. */
export function summaryText(checks: readonly Check[], style: Style, width: number): string {
  const count = (verdict: Check['verdict']) => checks.filter((check) => check.verdict === verdict).length;
  const problems = checks.filter(({ verdict }) => verdict === 'fail');
  const notes = count('warn');
  const noted = notes === 0 ? '' : notes === 1 ? ', 1 warning (!)' : `, ${notes} warnings (!)`;
  const [first] = problems;
  if (first === undefined) return `\n${style.green('All checks passed')}${noted}.\n`;
  const [next = '', ...commands] = visible(first.remedy ?? '').split('\n');
  const more = problems.length === 1 ? '' : `, and ${problems.length - 1} more`;
  const text = `✗ ${first.title} failed${more}${noted}.${next === '' ? '' : ` Next: ${next}`}`;
  return `\n${[...wrapText(text, width).map(style.red), ...commands.map(style.bold)].join('\n')}\n`;
}
