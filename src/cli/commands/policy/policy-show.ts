import { describeRules } from '../../../governance/policy/describe.ts';
import { loadRules } from '../../../governance/policy/open-policy.ts';
import { PRESET_NAMES, type PresetName } from '../../../governance/policy/policy-types.ts';
import { presetRules } from '../../../governance/policy/presets.ts';
import { nearest } from '../../../lib/suggest.ts';
import { TOOLS } from '../../../tools/index.ts';
import type { Request } from '../../command.ts';
import { openApp } from '../../open-app.ts';
import { print } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';
import { UsageError } from '../../usage-error.ts';

/** `policy show [preset]`: prints rules as a policy file: those of a preset, or those in force with these settings. */
export async function show({ input, args, options }: Request): Promise<void> {
  const [name, surplus] = args;
  if (surplus !== undefined) throw new UsageError(`unexpected argument: '${surplus.slice(0, 60)}'`);
  const preset = name === undefined ? undefined : presetOf(name);
  const config = settingsFor({ ...input, fallbacks: { host: 'unused', acceptRisks: 'true' } });
  if (config === undefined) return;
  if (preset === undefined) {
    // Prints the errors of the policy file, if it has any.
    const app = await openApp(config);
    if (app === undefined) return;
    await app.close(0);
  }
  const names = TOOLS.map((tool) => tool.name);
  const set =
    preset === undefined ? await loadRules(config, names) : presetRules(preset, config.protectedTag);
  const rules = describeRules(set);
  if (options.json === 'true') return print(`${JSON.stringify(rules, null, 2)}\n`);
  const source =
    preset !== undefined || config.policyFile === undefined
      ? `The preset ${preset ?? config.policy ?? 'standard'} as a policy file.`
      : `${config.policyFile}${set.extends === null ? '' : `, with the rules of ${set.extends}, which it extends`}.`;
  await print(`# ${source}\n# yaml-language-server: $schema=./policy.schema.json\n${await toYaml(rules)}`);
}

/** YAML with short lists on one line. */
async function toYaml(rules: object): Promise<string> {
  const { Document, isScalar, visit } = await import('yaml');
  const document = new Document(rules, { aliasDuplicateObjects: false });
  visit(document, {
    Seq: (_key, list) => {
      if (list.items.every(isScalar)) list.flow = true;
    },
  });
  return document.toString({ lineWidth: 110, flowCollectionPadding: false });
}

function presetOf(name: string): PresetName {
  const found = PRESET_NAMES.find((preset) => preset === name);
  if (found !== undefined) return found;
  const meant = nearest(name, PRESET_NAMES);
  const hint = meant === undefined ? '' : `\n(Did you mean ${meant}?)`;
  throw new UsageError(
    `there is no preset '${name.slice(0, 60)}'; presets: ${PRESET_NAMES.join(', ')}${hint}`,
  );
}
