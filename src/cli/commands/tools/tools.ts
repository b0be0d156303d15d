import { allowedTools, type CatalogEntry } from '../../../calls/tool-catalog.ts';
import { LOCAL_CALLER } from '../../../lib/caller.ts';
import { columnWidths, padCells } from '../../../lib/columns.ts';
import { shortToolName } from '../../../lib/tool-name.ts';
import type { Request } from '../../command.ts';
import { openApp } from '../../open-app.ts';
import { wantsColor } from '../../output/config-errors.ts';
import { print, type Style, styleFor, textWidth, wrapText } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';

/** `proxmox-mcp tools`: the tools that clients see with these settings. Connects to no node, so HOST and consent are optional. */
export async function tools({ input, options }: Request): Promise<void> {
  const config = settingsFor({ ...input, fallbacks: { host: 'unused', acceptRisks: 'true' } });
  if (config === undefined) return;
  const app = await openApp(config);
  if (app === undefined) return;
  const offered = await allowedTools(config, await app.policy(), LOCAL_CALLER);
  await app.close(0);
  if (options.json === 'true') {
    return print(`${JSON.stringify({ tools: offered.map(({ definition }) => definition) }, null, 2)}\n`);
  }
  await print(toolsText(offered, styleFor(wantsColor(process.stdout)), textWidth(process.stdout)));
  if (!process.stdout.isTTY) return;
  const hidden = config.readOnly ? ' READ_ONLY=true hides the other tools.' : '';
  process.stderr.write(`\nCall one with: proxmox-mcp call TOOL name=value …${hidden}\n`);
}

/** A table of names, effects and titles, with the parameters below, wrapped to `width`. */
export function toolsText(offered: readonly CatalogEntry[], style: Style, width: number): string {
  const rows = offered.map(({ traits }) => [shortToolName(traits.tool), traits.effect]);
  const header = ['TOOL', 'EFFECT'];
  const widths = columnWidths([header, ...rows]);
  const indent = ' '.repeat(padCells(header, widths).join('  ').length + 2);
  const lines = offered.flatMap(({ definition }, index) => {
    const [name = '', effect = ''] = padCells(rows[index] ?? [], widths);
    const words = parametersOf(definition);
    const parameters = words === '' ? [] : wrapText(words, Math.max(width - indent.length, 30));
    return [
      `${style.bold(name)}  ${effect}  ${definition.title}`,
      ...parameters.map((line) => style.dim(`${indent}${line}`)),
    ];
  });
  return `${[style.dim(`${padCells(header, widths).join('  ')}  DESCRIPTION`), ...lines].join('\n')}\n`;
}

/** `vmid command [timeout=30]`: required parameters, then optional ones with their defaults. */
function parametersOf({ inputSchema }: CatalogEntry['definition']): string {
  const { properties = {}, required = [] } = inputSchema;
  const names = Object.keys(properties);
  const optional = names.filter((name) => !required.includes(name));
  return [
    ...names.filter((name) => required.includes(name)),
    ...optional.map((name) => `[${name}${defaultOf(properties[name])}]`),
  ].join(' ');
}

function defaultOf(property: unknown): string {
  if (typeof property !== 'object' || property === null || !('default' in property)) return '';
  return `=${String(property.default)}`;
}
