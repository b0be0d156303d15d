/** The commonly used signals by number. */
const NUMBERS = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  XFSZ: 25,
} as const;

export type Signal = keyof typeof NUMBERS;

export function signalNumber(signal: Signal): number {
  return NUMBERS[signal];
}

/** Parses `9`, `KILL`, `SIGKILL` and `sigkill`. */
export function parseSignal(text: string): Signal | undefined {
  const name = text.toUpperCase().replace(/^SIG/, '');
  for (const signal of SIGNALS) {
    if (signal === name || String(NUMBERS[signal]) === name) return signal;
  }
  return undefined;
}

export const SIGNALS: readonly Signal[] = [
  'HUP',
  'INT',
  'QUIT',
  'KILL',
  'USR1',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
];
