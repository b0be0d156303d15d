import type { Logger as Pino } from 'pino';
import type { Redactor } from './redactor.ts';

type Method = 'debug' | 'info' | 'warn' | 'error';

export interface LogMethod {
  (message: string): void;
  (fields: object, message: string): void;
}

/** A logger with pino's calling convention. It writes to stderr, because stdout belongs to the protocol. */
export type Logger = { readonly [M in Method]: LogMethod };

export interface ClosableLogger extends Logger {
  /** Resolves when all previous lines have been written. */
  flush(): Promise<void>;
}

export interface LoggerOptions {
  readonly level: string;
  /** Redacts secrets in every line. */
  readonly redactor: Pick<Redactor, 'own'>;
  /** File descriptor (default: stderr). */
  readonly fd?: number;
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Maximum nesting of logged values, enough for an error with its causes. */
const MAX_DEPTH = 6;

/**
 * Logs JSON lines with pino. pino is loaded with the first line, because loading it would take a tenth of the start-up time,
 * and most starts log nothing.
 */
export function createLogger({ level, redactor, fd = 2 }: LoggerOptions): ClosableLogger {
  const scrub = (text: string) => redactor.own(text);
  const threshold = LEVELS.indexOf(level);
  let pino: Pino | undefined;
  let loading: Promise<void> | undefined;
  const waiting: (() => void)[] = [];

  const method = (name: Method): LogMethod => {
    if (LEVELS.indexOf(name) < threshold) return () => {};
    return (first: string | object, message?: string) => {
      const fields = typeof first === 'string' ? {} : plain(first, scrub);
      const line = scrub(typeof first === 'string' ? first : (message ?? ''));
      const write = (): void => pino?.[name](fields, line);
      if (pino !== undefined) return write();
      waiting.push(write);
      loading ??= loadPino(level, fd).then((loaded) => {
        pino = loaded;
        for (const each of waiting.splice(0)) each();
      });
    };
  };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    flush: async () => loading,
  };
}

async function loadPino(level: string, fd: number): Promise<Pino> {
  const [{ pino }, { isatty }, { writeSync }, { visible }] = await Promise.all([
    import('pino'),
    import('node:tty'),
    import('node:fs'),
    import('./visible.ts'),
  ]);
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous, so that the last lines before the process ends are written.
    isatty(fd)
      ? { write: (line: string) => void writeSync(fd, visible(readableLine(line))) }
      : pino.destination({ fd, sync: true }),
  );
}

/**
 * Formats a log line for a terminal: time of day, level, message, then the fields.
 * @param line one JSON line
 */
export function readableLine(line: string): string {
  const { level, time, msg, ...fields }: Record<string, unknown> = JSON.parse(line);
  const at = typeof time === 'string' ? new Date(time).toTimeString().slice(0, 8) : '';
  const rest = Object.entries(fields).map(([name, value]) => {
    const stack = typeof value === 'object' && value !== null && 'stack' in value ? value.stack : undefined;
    return typeof stack === 'string'
      ? `\n${stack}`
      : ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  return `${at} ${String(level).padEnd(5)} ${String(msg)}${rest.join('')}\n`;
}

/**
 * A copy with plain values only and redacted strings. Redaction happens before serialization, so that it cannot break the
 * JSON if a secret looks like a part of it.
 */
function plain(value: object, scrub: (text: string) => string, depth = 0): object {
  const copy = (inner: unknown): unknown => {
    if (typeof inner === 'string') return scrub(inner);
    if (typeof inner === 'bigint') return String(inner);
    if (typeof inner !== 'object' || inner === null) return inner;
    return depth < MAX_DEPTH ? plain(inner, scrub, depth + 1) : '…';
  };
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Uint8Array) return { bytes: value.byteLength };
  const entries = Object.entries(value);
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    entries.unshift(['type', name], ['message', message], ['stack', stack]);
    if (cause !== undefined) entries.push(['cause', cause]);
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, copy(inner)]));
}
