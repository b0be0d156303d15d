import * as z from 'zod';
import type { EditResult } from '../proxmox/proxmox-types.ts';
import { framed, frameWord, inOneLine } from './shared/format.ts';
import { changingInput, fileText, flag, path, sideCommand } from './shared/params.ts';
import { defineContainerTool } from './tool.ts';

const MAX_EDITS = 50;
/** Seconds for `validate`. */
const VALIDATE_LIMIT_S = 60;

const edit = z.strictObject({
  old: fileText('Exact text to replace', 1),
  new: fileText('New text'),
  replace_all: flag('Replace every occurrence'),
});

const input = changingInput({
  path: path('Absolute path in the container'),
  edits: z
    .array(edit, { error: 'must be a list of {old, new}' })
    .min(1, { error: 'must not be empty' })
    .max(MAX_EDITS, { error: `must have at most ${MAX_EDITS} entries` })
    .optional()
    .describe('Replacements; each `old` must occur exactly once'),
  diff: fileText('Unified diff, instead of `edits`', 1).optional(),
  expected_sha256: z
    .string({ error: 'must be a string' })
    .regex(/^[0-9a-fA-F]{64}$/, { error: 'must be a SHA-256 in hex' })
    .optional()
    .describe('Refuse if the file has another hash'),
  validate: sideCommand(
    'Command that must succeed; {} is the new file, checked before it replaces the old one',
  ),
}).refine(({ edits, diff }) => (edits === undefined) !== (diff === undefined), {
  path: ['edits'],
  error: 'or `diff` is required, but not both',
});

const output = z.object({
  vmid: z.number(),
  path: z.string(),
  changed: z.boolean(),
  diff: z.string(),
  diff_cut: z.boolean(),
  lines_added: z.number(),
  lines_removed: z.number(),
  sha256_before: z.string(),
  sha256: z.string(),
  size: z.number(),
  mode: z.string(),
  owner: z.string(),
  group: z.string(),
  attributes: z.enum(['kept', 'lost', 'unknown']),
  validated: z.enum(['before', 'after']).nullable(),
  validate_output: z.string().optional(),
});

export const editFile = defineContainerTool({
  name: 'proxmox_edit_file',
  title: 'Edit a file in a container',
  description:
    'Change a text file in a running LXC container by exact replacements or a unified diff; returns the diff. ' +
    'The file is replaced as a whole or not at all, and keeps owner, mode and line ends. ' +
    'With `validate` a faulty file is not put in place (`nginx -t -c {}`); without {} the file is put in place, checked, and restored if the check fails.',
  toolset: 'files',
  effect: 'write',
  input,
  output,
  parts: ({ vmid, validate }) => [
    { role: 'edit', vmid, effect: 'write' },
    ...(validate === undefined
      ? []
      : ([
          {
            role: 'validate',
            vmid,
            effect: 'exec',
            runs: { tool: 'proxmox_container_exec_command', command: validate },
          },
        ] as const)),
  ],
  async run({ vmid, edits, ...request }, ctx) {
    const result = await ctx.container.editFile({
      path: request.path,
      edits: edits?.map((each) => ({ old: each.old, new: each.new, replaceAll: each.replace_all })),
      diff: request.diff,
      expectedSha256: request.expected_sha256,
      validate: request.validate,
      // A client that waits no longer would not get the result.
      validateLimitS: Math.min(VALIDATE_LIMIT_S, ctx.settings.waitLimit ?? VALIDATE_LIMIT_S),
      characterLimit: ctx.settings.characterLimit,
      signal: ctx.signal,
    });
    return { data: toData(vmid, result), text: editText };
  },
});

type Data = z.output<typeof output>;

function toData(vmid: number, result: EditResult): Data {
  const { diff, validation } = result;
  return {
    vmid,
    path: result.path,
    changed: result.changed,
    diff: diff.text,
    diff_cut: diff.cut,
    lines_added: diff.added,
    lines_removed: diff.removed,
    sha256_before: result.sha256Before,
    sha256: result.sha256,
    size: result.size,
    mode: result.mode,
    owner: result.owner,
    group: result.group,
    attributes: result.attributes,
    validated: validation?.when ?? null,
    ...(validation === null || validation.output === '' ? {} : { validate_output: validation.output }),
  };
}

/** What was done, and the diff, framed by a random word so that it cannot pose as text of this server. */
function editText(data: Data): string {
  const file = `${inOneLine(data.path)} in container ${data.vmid}`;
  if (!data.changed)
    return `${file} was not changed: the result is the content that it has (its line ends are kept). SHA-256 ${data.sha256}`;
  const word = frameWord();
  const cut = data.diff_cut ? [`The diff is too long and was cut.`] : [];
  return [
    `Changed ${file}: ${data.lines_added} ${data.lines_added === 1 ? 'line' : 'lines'} added, ${data.lines_removed} removed; mode ${data.mode}, ${data.owner}:${data.group}${ATTRIBUTES[data.attributes]}.${VALIDATED[data.validated ?? 'not']}`,
    ...(data.diff === '' ? [] : [framed(word, data.diff)]),
    ...cut,
    ...(data.validate_output === undefined
      ? []
      : ['Output of `validate`:', framed(word, data.validate_output)]),
    `SHA-256 now: ${data.sha256}`,
  ].join('\n');
}

const ATTRIBUTES = {
  kept: '',
  lost: ', but extended attributes or ACLs were lost, because `cp` in the container does not copy them',
  unknown: '; extended attributes and ACLs are kept only if `cp -a` in the container copies them',
} as const;

const VALIDATED = {
  before: ' Validated before it was put in place.',
  after: ' Put in place, then validated.',
  not: '',
} as const;
