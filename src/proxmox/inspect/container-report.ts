import { integer, oneLine } from './plain-text.ts';

/** One part of the report of the script in the container. */
export interface ReportPart {
  readonly text: string;
  /** Exit code of the command; null if it did not end, or the part has no command. */
  readonly code: number | null;
}

/** The report of the script in the container: its own claims. */
export interface ContainerReport {
  /** Whether the script started. */
  readonly began: boolean;
  readonly ended: boolean;
  /** Output before the script, from lxc-attach. */
  readonly before: string;
  /** The sections that were read to their end. */
  readonly done: ReadonlySet<string>;
  /** Programs without which the script reads nothing. */
  readonly missing: readonly string[];
  readonly parts: ReadonlyMap<string, ReportPart>;
}

/** A section, and why some of it, or all, is unknown. */
export interface Checked<Facts> {
  /** null: nothing of the section is known. */
  readonly facts: Facts | null;
  /** Sentences. */
  readonly notChecked: readonly string[];
}

/** Splits the output of the container script at the lines that begin with its inner word. */
export function parseContainerReport(text: string, word: string): ContainerReport {
  const texts = new Map<string, string>();
  const codes = new Map<string, number | null>();
  const done = new Set<string>();
  const missing: string[] = [];
  let before = '';
  let began = false;
  let ended = false;
  let part: string | undefined;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    if (!line.startsWith(`${word} `)) {
      if (!began) before += `${line}\n`;
      else if (part !== undefined) texts.set(part, `${texts.get(part) ?? ''}${line}\n`);
      continue;
    }
    const [, kind = '', rest = ''] = /^(\S+) ?(.*)$/.exec(line.slice(word.length + 1)) ?? [];
    if (kind === 'began') began = true;
    else if (kind === 'ended') ended = true;
    else if (kind === 'done') done.add(rest);
    else if (kind === 'missing') missing.push(oneLine(rest, 20));
    else if (kind === 'part') {
      part = rest;
      // Also if nothing follows: no updates are pending, for example.
      texts.set(part, texts.get(part) ?? '');
    } else if (kind === 'code') {
      const [, name = '', code] = /^(.*) (\d+)$/.exec(rest) ?? [];
      codes.set(name, integer(code));
      part = undefined;
    }
  }
  const parts = new Map(
    [...texts].map(([name, content]) => [name, { text: content, code: codes.get(name) ?? null }]),
  );
  return { began, ended, before: before.trim(), done, missing, parts };
}

/** The exit code of a command whose further output was not read. */
const CUT = 141;

/**
 * Why the output of a command is not its complete result; null if it is.
 * @param command its name, for the sentence
 * @param expected exit codes that are no failure
 */
export function failureOf(
  { text, code }: ReportPart,
  command: string,
  expected: readonly number[] = [0],
): string | null {
  if (code === null) return `${command} did not answer in time.`;
  if (code === CUT) return `Only the first lines of ${command} were read.`;
  if (expected.includes(code)) return null;
  const reason = oneLine(lines(text).at(-1) ?? '', 160);
  return `${command} failed with exit code ${code}${reason === '' ? '' : `: ${reason}`}`;
}

/** Whether only the first lines of the output were read. */
export function isCut({ code }: ReportPart): boolean {
  return code === CUT;
}

/** Whether there is a part of the output: the command had more to print, or did not end. */
export function isPartial(part: ReportPart): boolean {
  return isCut(part) || (part.code === null && lines(part.text).length > 0);
}

/** The lines of a text that are not blank. */
export function lines(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').filter((line) => line.trim() !== '');
}
