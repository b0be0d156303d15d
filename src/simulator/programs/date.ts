import { parseOptions } from './options.ts';
import { type Call, Failure } from './program.ts';

const DAYS = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ');

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

export async function date(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'uRI:d:r:s:', {
    long: { date: 'd', utc: 'u', reference: 'r', iso: 'I', 'iso-8601': 'I' },
  });
  const reference = options.value('r');
  const time =
    reference === undefined ? parseDate(options.value('d')) : (await call.sys.stat(reference)).mtime;
  const format =
    options.rest.find((arg) => arg.startsWith('+'))?.slice(1) ??
    (options.has('I') ? '%Y-%m-%d' : '%a %b %e %H:%M:%S UTC %Y');
  const two = (value: number) => String(value).padStart(2, '0');
  const values: Record<string, () => string> = {
    Y: () => String(time.getUTCFullYear()),
    y: () => two(time.getUTCFullYear() % 100),
    m: () => two(time.getUTCMonth() + 1),
    d: () => two(time.getUTCDate()),
    e: () => String(time.getUTCDate()).padStart(2),
    H: () => two(time.getUTCHours()),
    I: () => two(time.getUTCHours() % 12 || 12),
    M: () => two(time.getUTCMinutes()),
    S: () => two(time.getUTCSeconds()),
    p: () => (time.getUTCHours() < 12 ? 'AM' : 'PM'),
    N: () => String(time.getUTCMilliseconds() * 1e6).padStart(9, '0'),
    s: () => String(Math.floor(time.getTime() / 1000)),
    a: () => DAYS[time.getUTCDay()] ?? '',
    A: () => 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')[time.getUTCDay()] ?? '',
    b: () => MONTHS[time.getUTCMonth()] ?? '',
    u: () => String(time.getUTCDay() || 7),
    w: () => String(time.getUTCDay()),
    j: () =>
      String(Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 0)) / 86_400_000)).padStart(
        3,
        '0',
      ),
    F: () => time.toISOString().slice(0, 10),
    T: () => time.toISOString().slice(11, 19),
    R: () => time.toISOString().slice(11, 16),
    z: () => '+0000',
    Z: () => 'UTC',
    n: () => '\n',
    t: () => '\t',
    '%': () => '%',
  };
  await call.printBytes(
    `${format.replaceAll(/%[-_]?([a-zA-Z%])/g, (whole, letter: string) => values[letter]?.() ?? whole)}\n`,
  );
  return 0;
}

/** Parses a date of `date -d` and `touch -d`: ISO, `@seconds`, `3 days ago`, or CCYYMMDDhhmm. */
export function parseDate(text: string | undefined): Date {
  if (text === undefined || text === 'now') return new Date();
  const [, seconds] = /^@(-?\d+)$/.exec(text) ?? [];
  if (seconds !== undefined) return new Date(Number(seconds) * 1000);
  const [, sign = '', count, unit = '', ago = ''] =
    /^([-+]?)(\d+) ?(second|minute|hour|day|week)s?( ago)?$/.exec(text) ?? [];
  const lengths: Record<string, number> = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 };
  if (count !== undefined) {
    const past = ago !== '' || sign === '-';
    return new Date(Date.now() + (past ? -1 : 1) * Number(count) * (lengths[unit] ?? 0) * 1000);
  }
  const compact = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?$/.exec(text);
  const date = compact
    ? new Date(`${compact[1]}-${compact[2]}-${compact[3]}T${compact[4]}:${compact[5]}:${compact[6] ?? '00'}Z`)
    : new Date(text);
  if (Number.isNaN(date.getTime())) throw new Failure(`invalid date '${text}'`);
  return date;
}
