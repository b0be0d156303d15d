import * as z from 'zod';
import { inThousands } from '../../lib/in-thousands.ts';
import { command, listedVmid } from './params.ts';

/** Limits of a call, so that a person can read all its commands before approving it. */
const MAX_COMMANDS = 1000;
const MAX_CHARACTERS = 50_000;

/** The commands of a call: `command` for all its containers, or `commands` with another one for each. */
export interface ContainerCommands {
  readonly command?: string | undefined;
  readonly commands?: readonly { readonly vmid: number; readonly command: string }[] | undefined;
}

const entry = z.strictObject(
  {
    vmid: listedVmid({ error: 'needs a vmid from 100 to 999999999 for each command' }),
    command: command.meta({ minLength: undefined, maxLength: undefined, description: undefined }),
  },
  { error: 'must be a list like [{"vmid": 101, "command": "df -h"}]' },
);

/**
 * The parameter `commands`. Advertised as a list, because some clients do not support objects with arbitrary names; an object
 * `{"101": "df -h"}` is accepted too. In the order of the VMIDs, so that the same commands in another order are the same call.
 */
export const containerCommands = z
  .preprocess(
    fromObject,
    z
      .array(entry, { error: 'must be a list like [{"vmid": 101, "command": "df -h"}]' })
      .min(1, { error: 'must not be empty' })
      .max(MAX_COMMANDS, { error: `must have at most ${inThousands(MAX_COMMANDS)} entries` })
      .meta({ minItems: undefined, maxItems: undefined })
      .superRefine((list, ctx) => {
        const seen = new Set<number>();
        for (const { vmid } of list) {
          if (seen.has(vmid)) ctx.addIssue({ code: 'custom', message: `has two commands for ${vmid}` });
          seen.add(vmid);
        }
        const length = list.reduce((sum, each) => sum + each.command.length, 0);
        if (length <= MAX_CHARACTERS) return;
        ctx.addIssue({
          code: 'custom',
          message: `must have at most ${inThousands(MAX_CHARACTERS)} characters in all commands together`,
          params: { remedy: 'Split the commands over several calls.' },
        });
      })
      .overwrite((list) => [...list].sort((a, b) => a.vmid - b.vmid)),
  )
  .optional()
  .describe('Instead of `command` and selectors: another command for each container');

/** Each entry of an object as an element. Its names are checked like any VMID: "0101" is none. */
function fromObject(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value).map(([vmid, each]: [string, unknown]) => ({ vmid, command: each }));
}

const SELECTORS = ['vmids', 'tags', 'name', 'node', 'except'] as const;

/** Requires `command` or `commands`. The latter selects its containers, so it excludes all selectors. */
export function requireCommand(
  input: ContainerCommands & Readonly<Partial<Record<(typeof SELECTORS)[number], unknown>>>,
  ctx: z.RefinementCtx,
): void {
  if (input.commands === undefined) {
    if (input.command !== undefined) return;
    const remedy = 'Pass `command`, or `commands` with a command for each container.';
    ctx.addIssue({ code: 'custom', path: ['command'], message: 'is required', params: { remedy } });
    return;
  }
  const excluded = (['command', ...SELECTORS] as const).filter((name) => input[name] !== undefined);
  if (excluded.length === 0) return;
  ctx.addIssue({
    code: 'custom',
    path: ['commands'],
    message: `excludes ${excluded.join(', ')}: it has the command of each container that it names`,
    params: { remedy: `Pass either \`commands\` alone, or \`command\` with selectors.` },
  });
}

/** The command of one container; undefined if the call has one command for all. */
export function ownCommand({ commands }: ContainerCommands, vmid: number): string | undefined {
  return commands?.find((each) => each.vmid === vmid)?.command;
}

/** The command that a call runs in one of its containers. */
export function commandFor(input: ContainerCommands, vmid: number): string {
  const found = input.commands === undefined ? input.command : ownCommand(input, vmid);
  if (found === undefined) throw new TypeError(`no command for container ${vmid}`);
  return found;
}
