import type { Call } from '../programs/program.ts';
import type { Guest } from './guest.ts';

interface Entry {
  readonly time: Date;
  /** As `-o short` prints it. */
  readonly line: string;
  readonly host: string;
  readonly text: string;
  readonly index: number;
}

const BOOT = '0123456789abcdef0123456789abcdef';

/**
 * journalctl with the options that scripts use. The journal is what the scenario puts into /var/log/journal/UNIT.log, or
 * /var/log/syslog: lines as `May 14 02:00:01 HOST NAME[PID]: TEXT`. A line with "error" or "fail" has the priority err.
 */
export async function journalctl(guest: Guest, call: Call): Promise<number> {
  const { args } = call;
  const value = (...names: readonly string[]): string | undefined => {
    for (const [index, arg] of args.entries()) {
      const name = names.find((each) => arg === each || (arg.startsWith(each) && isInline(each, arg)));
      if (name !== undefined)
        return arg === name ? args[index + 1] : arg.slice(name.length).replace(/^=/, '');
    }
    return undefined;
  };
  if (args.includes('--help')) {
    await call.print('     --no-hostname           Suppress output of hostname field\n');
    return 0;
  }
  let entries = entriesOf(guest, value('-u', '--unit'));
  const [since, until] = [value('-S', '--since'), value('-U', '--until')].map(parseTime);
  if (since === null || until === null) {
    await call.warn('Failed to parse timestamp\n');
    return 1;
  }
  const after = value('--after-cursor');
  if (after !== undefined) {
    const index = /;i=([0-9a-f]+);/.exec(after)?.[1];
    if (index === undefined) {
      await call.warn('Failed to seek to cursor: Invalid argument\n');
      return 1;
    }
    entries = entries.filter((entry) => entry.index > Number.parseInt(index, 16));
  }
  if (since !== undefined) entries = entries.filter(({ time }) => time >= since);
  if (until !== undefined) entries = entries.filter(({ time }) => time <= until);
  const priority = value('-p', '--priority');
  if (/^(?:[0-3]|emerg|alert|crit|err)$/.test(priority ?? '')) {
    entries = entries.filter(({ text }) => /error|fail|fatal|crit/i.test(text));
  }
  const limit = Number(value('-n', '--lines') ?? entries.length);
  const shown = limit === 0 ? [] : entries.slice(-limit);
  const isQuiet = args.some((arg) => arg === '-q' || arg === '--quiet');
  if (shown.length === 0 && !isQuiet) await call.print('-- No entries --\n');
  const format = value('-o', '--output') ?? 'short';
  const withHost = !args.includes('--no-hostname');
  for (const entry of shown) {
    const time = entry.time.toISOString().replace(/\.\d+Z$/, '+00:00');
    const iso = `${time} ${withHost ? `${entry.host} ` : ''}${entry.text}`;
    await call.print(
      `${format === 'cat' ? entry.text.replace(/^[^:]*: /, '') : format === 'short' ? entry.line : iso}\n`,
    );
  }
  const last = shown.at(-1);
  if (args.includes('--show-cursor') && last !== undefined) {
    const hex = (number: number) => number.toString(16);
    await call.print(
      `-- cursor: s=${BOOT};i=${hex(last.index)};b=${BOOT};m=${hex(last.index)};t=${hex(last.time.getTime() * 1000)};x=${hex(last.index)}\n`,
    );
  }
  return 0;
}

function isInline(name: string, arg: string): boolean {
  return name.startsWith('--') ? arg[name.length] === '=' : arg.length > name.length;
}

/** All entries by time, in a stable order. */
function entriesOf(guest: Guest, unit: string | undefined): readonly Entry[] {
  const folder = guest.files.find('/var/log/journal');
  const units = folder?.kind === 'directory' ? [...folder.entries.keys()] : [];
  const paths = ['/var/log/syslog', ...units.map((name) => `/var/log/journal/${name}`)];
  const all = paths
    .flatMap((path) => linesOf(guest, path))
    .sort((a, b) => a.time.getTime() - b.time.getTime())
    .map((entry, index) => ({ ...entry, index: index + 1 }));
  if (unit === undefined) return all;
  const wanted = `/var/log/journal/${unit.replace(/\.service$/, '')}.log`;
  return all.filter(({ path }) => path === wanted);
}

function linesOf(guest: Guest, path: string) {
  const inode = guest.files.find(path);
  const lines = inode?.kind === 'file' ? inode.content.toString('utf8').split('\n') : [];
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [, date = '', host = guest.hostname, text = line] =
        /^([A-Z][a-z]{2} +\d+ [\d:]+) (\S+) (.*)$/.exec(line) ?? [];
      return { time: timeOf(date), line, host, text, path };
    });
}

/** The latest past time with that date, because the line has no year. */
function timeOf(date: string): Date {
  const now = new Date();
  const time = new Date(`${date} ${now.getUTCFullYear()} UTC`);
  if (Number.isNaN(time.getTime())) return now;
  if (time > now) time.setUTCFullYear(time.getUTCFullYear() - 1);
  return time;
}

/** `@SECONDS` or `YYYY-MM-DD HH:MM:SS`; null for anything else. */
function parseTime(text: string | undefined): Date | undefined | null {
  if (text === undefined) return undefined;
  const [, seconds] = /^@(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (seconds !== undefined) return new Date(Number(seconds) * 1000);
  return /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text) ? new Date(`${text.replace(' ', 'T')}Z`) : null;
}
