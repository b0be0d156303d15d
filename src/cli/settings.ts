import { type LoadInput, loadConfig } from '../config/load.ts';
import type { Config } from '../config/settings-schema.ts';
import { configErrorsText, wantsColor } from './output/config-errors.ts';
import { printMessage } from './output/output.ts';

/** The settings of a command. Undefined if they are invalid: the errors are then printed and the exit code is set. */
export function settingsFor(input: LoadInput): Config | undefined {
  const loaded = loadConfig(input);
  for (const warning of loaded.warnings) void printMessage(warning);
  if (loaded.ok) return loaded.config;
  process.stderr.write(configErrorsText(loaded.errors, wantsColor(process.stderr)));
  process.exitCode = 2;
  return undefined;
}
