/** A span of the week. */
export interface TimeWindow {
  /** 0 is Sunday. The day on which the hours begin. */
  readonly days: ReadonlySet<number>;
  /** Minutes since midnight; `to` is no longer part of it. `from` after `to` goes past midnight. */
  readonly from: number;
  readonly to: number;
  /** An IANA name; null is the time zone of the server. */
  readonly zone: string | null;
}

export const DAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Whether the moment lies in the window, by the clock on the wall: summer time moves with it. */
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

/** To make one takes a hundred times as long as to use it. */
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

/** Whether this machine knows the time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
