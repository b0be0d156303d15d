import { createHash } from 'node:crypto';
import { AppError } from '../../lib/errors.ts';
import type { LogFilter } from './log-types.ts';

/** A position in a log. The client passes it back to read the page before or after one. */
export type LogCursor =
  | {
      readonly kind: 'file';
      /** `DEVICE:INODE`, which differs after a rotation. */
      readonly file: string;
      /** Byte at which reading begins. */
      readonly first: number;
      /** Byte at which it ends; null: at the end of the file. */
      readonly end: number | null;
      /** Lines that earlier pages have shown, from the end or, with keep=head, from the beginning. */
      readonly seen: number;
      /** The time of the first page, in seconds since the epoch, if `since` or `until` is relative to it. */
      readonly clock: number | null;
    }
  | {
      readonly kind: 'journal';
      /** journald's own cursor after which reading begins; null: at `since`. */
      readonly after: string | null;
      /** journald's cursor of the last entry; null: the newest entry. */
      readonly newest: string | null;
      readonly seen: number;
      readonly clock: number | null;
    };

/** journald accepts a cursor without `b`, `m` and `x`, because `s` and `i` identify the entry. */
const JOURNAL_CURSOR =
  /^s=[0-9a-f]{1,32};i=[0-9a-f]{1,32}(?:;b=[0-9a-f]{1,32};m=[0-9a-f]{1,32})?;t=[0-9a-f]{1,32}(?:;x=[0-9a-f]{1,32})?$/;
const NUMBER = /^(?:0|[1-9]\d{0,15})$/;

/** Whether the text is a cursor of journald. It comes from the container. */
export function isJournalCursor(text: string): boolean {
  return JOURNAL_CURSOR.test(text);
}

/** The text for the client. It applies only to the container and the filter that it was made for. */
export function formatCursor(cursor: LogCursor, vmid: number, filter: LogFilter): string {
  const number = (value: number | null) => (value === null ? '-' : String(value));
  const fields =
    cursor.kind === 'file'
      ? ['f', cursor.file, number(cursor.first), number(cursor.end), number(cursor.seen)]
      : ['j', shortened(cursor.after), shortened(cursor.newest), '-', number(cursor.seen)];
  const clock = cursor.clock === null ? [] : [String(cursor.clock)];
  return `${[...fields, ...clock].join('.')}.${digest(vmid, filter)}`;
}

/** What identifies the entry, because a client sends the cursor back. */
function shortened(cursor: string | null): string {
  return cursor === null ? '-' : cursor.replaceAll(/;[bmx]=[0-9a-f]+/g, '');
}

/** @throws AppError INVALID_INPUT unless it is a cursor for this container and filter */
export function parseCursor(text: string, vmid: number, filter: LogFilter): LogCursor {
  const [kind, ...fields] = text.split('.');
  const proof = fields.pop();
  const [one = '', two = '', three = '', four = '', time = '-'] = fields;
  if (fields.length < 4 || fields.length > 5 || proof !== digest(vmid, filter)) throw notForThis();
  const number = (value: string): number => {
    if (!NUMBER.test(value)) throw notForThis();
    return Number(value);
  };
  const optional = (value: string) => (value === '-' ? null : number(value));
  const clock = optional(time);
  if (kind === 'f') {
    if (!/^\d{1,10}:\d{1,20}$/.test(one)) throw notForThis();
    return { kind: 'file', file: one, first: number(two), end: optional(three), seen: number(four), clock };
  }
  if (kind !== 'j') throw notForThis();
  const journal = (value: string): string | null => {
    if (value === '-') return null;
    if (!isJournalCursor(value)) throw notForThis();
    return value;
  };
  if (three !== '-') throw notForThis();
  return { kind: 'journal', after: journal(one), newest: journal(two), seen: number(four), clock };
}

/** Detects mistakes, not forgery: a caller that may read a log may read all of it. */
function digest(vmid: number, filter: LogFilter): string {
  const { path, unit, since, until, priority, match, regex, context, keep } = filter;
  const text = JSON.stringify([vmid, path, unit, since, until, priority, match, regex, context, keep]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 8);
}

function notForThis(): AppError {
  return new AppError(
    'INVALID_INPUT',
    'This tool did not return the cursor for this container and these filters.',
    'Repeat the call with the same vmid, path, unit, since, until, priority, match, regex, context and keep as before, or without cursor.',
  );
}
