import type { Caller, Right } from '../lib/caller.ts';
import { AppError } from '../lib/errors.ts';
import type { Tool, ToolSettings } from '../tools/tool.ts';

/** What the operator's settings and the caller's rights say about a tool: ceilings that no policy lifts. */
export type Decision = { readonly outcome: 'allow' } | { readonly outcome: 'deny'; readonly error: AppError };

/**
 * The one rule for both sides: tools/list shows what this allows, and a call is refused by what this
 * denies, so that a hidden tool cannot be reached by its name. Pure.
 */
export function decide(tool: Tool, settings: ToolSettings, caller: Caller): Decision {
  if (settings.readOnly && tool.effect !== 'read') {
    const error = new AppError(
      'READ_ONLY',
      `${tool.name} is refused: this server is read-only, so only tools that change nothing run.`,
      'Use proxmox_list_containers or proxmox_container_status; for more, ask the operator to start the server without READ_ONLY.',
    );
    return { outcome: 'deny', error };
  }
  const right = rightFor(tool);
  if (!caller.rights.has(right)) {
    const error = new AppError(
      'RIGHT_MISSING',
      `${tool.name} is refused: ${caller.name} has not the right \`${right}\`.`,
      `Ask the operator for a token or scope with the right \`${right}\`.`,
    );
    return { outcome: 'deny', error };
  }
  return { outcome: 'allow' };
}

/** The right that a tool asks of its caller. */
export function rightFor(tool: Pick<Tool, 'target' | 'effect'>): Right {
  if (tool.target === 'host') return 'host';
  return tool.effect === 'read' ? 'read' : 'write';
}
