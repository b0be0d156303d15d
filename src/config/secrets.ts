import { type Config, listSettings } from './settings-schema.ts';

/** Minimum length of a secret in a list or structure. Shorter strings are names or permissions, not tokens. */
const MIN_NESTED_LENGTH = 16;

/** The values of all settings that are secrets, with the names of the settings. */
export function* secretsOf(config: Config): Generator<{ kind: string; value: string }> {
  const values: Readonly<Record<string, unknown>> = config;
  for (const { property, name, secret } of listSettings()) {
    if (secret !== true) continue;
    const value = values[property];
    if (typeof value === 'string') yield { kind: name, value };
    else
      for (const nested of stringsIn(value))
        if (nested.length >= MIN_NESTED_LENGTH) yield { kind: name, value: nested };
  }
}

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) if (key !== 'name') yield* stringsIn(inner);
}
