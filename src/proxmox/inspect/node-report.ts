import type { ScriptOutput } from '../../remote/remote-shell.ts';

/** The facts about one container as the node script sends them. */
export class RawFacts {
  readonly #words = new Map<string, string>();
  readonly #chunks = new Map<string, Buffer[]>();
  /** The limits in bytes of the facts that ended. */
  readonly #ended = new Map<string, number>();

  /** A word of the script itself: `state`, `code`, `refused`, … */
  word(name: string): string | undefined {
    return this.#words.get(name);
  }

  /** A fact as text; undefined if the script has not sent it. */
  text(name: string): string | undefined {
    const chunks = this.#chunks.get(name);
    return chunks === undefined ? undefined : Buffer.concat(chunks).toString('utf8');
  }

  /** Whether the fact was sent, completely or up to its limit. */
  hasEnded(name: string): boolean {
    return this.#ended.has(name);
  }

  /** Whether the fact was sent completely. */
  isComplete(name: string): boolean {
    const limit = this.#ended.get(name);
    const bytes = (this.#chunks.get(name) ?? []).reduce((sum, { length }) => sum + length, 0);
    const wasKilled = this.#words.get(`${name}-code`) === '137';
    return limit !== undefined && bytes < limit && !wasKilled && !this.isLeft(name);
  }

  /** Whether the program that prints the fact did not end. */
  isLeft(name: string): boolean {
    return BOUNDED.has(name) && this.#ended.has(name) && !this.#words.has(`${name}-code`);
  }

  /** Whether processes of the node script may be left. */
  get mayBeLeft(): boolean {
    const hasBegun = this.#words.get('state')?.includes(' ') === true;
    return (hasBegun && !this.#words.has('end')) || [...BOUNDED].some((name) => this.isLeft(name));
  }

  add(name: string, text: string): void {
    if (WORDS.has(name)) this.#words.set(name, text);
    else if (text.startsWith('.')) {
      const limit = Number(text.slice(2));
      this.#ended.set(name, limit > 0 ? limit : Number.POSITIVE_INFINITY);
      if (!this.#chunks.has(name)) this.#chunks.set(name, []);
    } else {
      const chunks = this.#chunks.get(name) ?? [];
      chunks.push(Buffer.from(text, 'base64'));
      this.#chunks.set(name, chunks);
    }
  }
}

/** The facts whose programs are left behind if they hang. They have an exit code. */
const BOUNDED: ReadonlySet<string> = new Set([
  'sockets',
  'commands',
  'stale',
  'deleted',
  'sizes',
  'directories',
  'files',
]);

/** The facts that are words of the script. All others are base64. */
const WORDS: ReadonlySet<string> = new Set([
  ...['refused', 'state', 'skipped', 'pids', 'code', 'end'],
  ...[...BOUNDED].map((name) => `${name}-code`),
]);

/** The output of the node script, by container. Lines that are not of its form are dropped. */
export function parseNodeReport({ stdout }: Pick<ScriptOutput, 'stdout'>): ReadonlyMap<number, RawFacts> {
  const containers = new Map<number, RawFacts>();
  for (const line of stdout.split('\n')) {
    const [, id, name = '', text = ''] =
      /^([1-9]\d{2,8}) ([a-z-]+)(?: ([A-Za-z0-9+/=.][A-Za-z0-9+/=. -]*))?$/.exec(line) ?? [];
    if (id === undefined) continue;
    const facts = containers.get(Number(id)) ?? new RawFacts();
    containers.set(Number(id), facts);
    facts.add(name, text);
  }
  return containers;
}
