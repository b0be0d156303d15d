const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800 };

/**
 * A time as journalctl and the log script take it: `-7200` for two hours ago by the container's clock, `@SECONDS` since the
 * epoch for a time with a zone, `today 03:12:00` or `yesterday 03:12:00` for a time of the day, or a local time of the container. null if the text is not a time.
 */
export function parseLogTime(text: string): string | null {
  const [, amount, unit = ''] = /^-?(\d{1,6}) ?(s|min|m|h|d|w)(?: ago)?$/.exec(text) ?? [];
  const [ofDay, day = 'today', hour = '00:00'] =
    /^(today|yesterday)?(?:(?:^| )((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?))?$/.exec(text) ?? [];
  if (ofDay !== undefined && text !== '') return `${day} ${hour.length === 5 ? `${hour}:00` : hour}`;
  if (amount !== undefined) return `-${Number(amount) * (UNITS[unit] ?? 1)}`;
  const [, date, clock = '00:00', zone] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?) ?(Z|UTC|[+-]\d{2}:?\d{2})?)?$/.exec(
      text,
    ) ?? [];
  if (date === undefined) return null;
  const isoZone = zone === undefined || zone === 'UTC' ? 'Z' : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const ms = Date.parse(`${date}T${clock.length === 5 ? `${clock}:00` : clock}${isoZone}`);
  if (Number.isNaN(ms)) return null;
  if (zone === undefined) return `${date} ${clock.replace(/\.\d+$/, '')}${clock.length === 5 ? ':00' : ''}`;
  return `@${(ms / 1000).toFixed(3)}`;
}
