/** A time condition: days and a time range. */
export interface TimeWindow {
  /** The days on which the time range begins; 0 is Sunday. */
  readonly days: ReadonlySet<number>;
  /** Minutes since midnight; `to` is excluded. If `from` is after `to`, the range extends past midnight. */
  readonly from: number;
  readonly to: number;
  /** An IANA name; null: the time zone of the server. */
  readonly zone: string | null;
}

export const DAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Whether the time is in the window, by local time including daylight saving time. */
export function isWithin(window: TimeWindow, at: Date): boolean {
  const { day, minute } = wallClock(at, window.zone);
  const { days, from, to } = window;
  if (from < to) return days.has(day) && minute >= from && minute < to;
  return (days.has(day) && minute >= from) || (days.has((day + 6) % 7) && minute < to);
}

function wallClock(at: Date, zone: string | null): { day: number; minute: number } {
  if (zone === null) return { day: at.getDay(), minute: at.getHours() * 60 + at.getMinutes() };
  const parts = new Map(
    formatFor(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const weekday = parts.get('weekday')?.toLowerCase();
  return {
    day: DAYS.indexOf(weekday ?? ''),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}

/** Cache: creating a format takes a hundred times as long as using it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(zone, format);
  return format;
}

/** Whether the name is a time zone of this machine. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
