import { type Config, listSettings } from './settings-schema.ts';

/** A string this long within a list or a structure is a token, not a name or a word that goes with one. */
const MIN_WITHIN = 16;

/** The values of every setting that is marked as a secret, each under the name of its setting. */
export function* secretsOf(config: Config): Generator<{ kind: string; value: string }> {
  const values: Readonly<Record<string, unknown>> = config;
  for (const { property, name, secret } of listSettings()) {
    if (secret !== true) continue;
    const value = values[property];
    if (typeof value === 'string') yield { kind: name, value };
    else
      for (const within of stringsIn(value))
        if (within.length >= MIN_WITHIN) yield { kind: name, value: within };
  }
}

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) if (key !== 'name') yield* stringsIn(inner);
}
