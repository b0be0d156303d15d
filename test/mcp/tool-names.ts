import { TOOLS } from '../../src/tools/index.ts';
import type { Effect, Tool } from '../../src/tools/tool.ts';

/** Names of tools without `proxmox_`, in the order of the list. */
export function toolNames(matches: (tool: Tool) => boolean): string[] {
  return TOOLS.filter(matches).map(({ name }) => name.slice('proxmox_'.length));
}

/** The names of the tools with one of these effects, in containers, on the cluster and on the host. */
export function toolsWithEffect(...effects: readonly Effect[]): string[] {
  return toolNames(({ effect }) => effects.includes(effect));
}
