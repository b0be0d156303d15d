import * as z from 'zod';
import type { ReadResult } from '../proxmox/proxmox-types.ts';
import { formatBytes, framed, frameWord, inOneLine } from './shared/format.ts';
import { containerInput, path, wholeNumber } from './shared/params.ts';
import { defineContainerTool } from './tool.ts';

const output = z.object({
  vmid: z.number(),
  path: z.string(),
  size: z.number(),
  mode: z.string(),
  owner: z.string(),
  group: z.string(),
  links: z.number(),
  uid: z.number(),
  gid: z.number(),
  sha256: z.string().nullable(),
  encoding: z.enum(['utf-8', 'latin1', 'base64']),
  content: z.string(),
  start: z.number(),
  end: z.number(),
  first_line: z.number().nullable(),
  last_line: z.number().nullable(),
  total_lines: z.number().nullable(),
  redacted: z.number(),
  next: z.object({ line: z.number().optional(), offset: z.number().optional() }).nullable(),
});

export const readFile = defineContainerTool({
  name: 'proxmox_read_file',
  title: 'Read a file in a container',
  description:
    'Read a part of a file in a running LXC container, with size, mode, owner and SHA-256 of the whole file. ' +
    'A long part is cut; the result says how to continue. Files with NUL bytes are returned as base64.',
  toolset: 'files',
  effect: 'read',
  discloses: true,
  textOnly: true,
  input: containerInput({
    path: path('Absolute path in the container'),
    line: wholeNumber('First line; -50: the last 50 lines').optional(),
    lines: wholeNumber('Most lines to return', 1).optional(),
    offset: wholeNumber('First byte, instead of `line`; negative: from the end').optional(),
    bytes: wholeNumber('Most bytes to return', 1).optional(),
    encoding: z.enum(['text', 'base64']).optional().describe('Default: by content'),
  }).refine(({ line, offset }) => line === undefined || offset === undefined, {
    path: ['offset'],
    error: 'cannot be combined with `line`',
  }),
  output,
  async run({ vmid, line, ...input }, ctx) {
    const result = await ctx.container.readFile({
      ...input,
      line: line === 0 ? 1 : line,
      characterLimit: ctx.settings.characterLimit,
      signal: ctx.signal,
    });
    return { data: toData(vmid, result), text: readText };
  },
});

type Data = z.output<typeof output>;

function toData(vmid: number, { firstLine, lastLine, totalLines, ...same }: ReadResult): Data {
  return { vmid, ...same, first_line: firstLine, last_line: lastLine, total_lines: totalLines };
}

/** One line about the file, then the part, framed by a random word so that it cannot pose as text of this server. */
function readText(data: Data): string {
  const { content, encoding, next, redacted } = data;
  const word = frameWord();
  const lines = [`${inOneLine(data.path)} in container ${data.vmid}: ${partOf(data)}, ${factsOf(data)}`];
  if (redacted > 0) {
    lines.push(`${redacted} ${redacted === 1 ? 'secret is' : 'secrets are'} redacted in what follows.`);
  }
  if (content !== '') lines.push(framed(word, content, 'file'));
  if (next === null) {
    // The frame ends with a newline in any case.
    if (content !== '' && encoding !== 'base64' && !content.endsWith('\n'))
      lines.push('The last line has no newline.');
  } else {
    lines.push(`Continue with ${next.line === undefined ? `offset=${next.offset}` : `line=${next.line}`}.`);
  }
  return lines.join('\n');
}

function partOf({
  first_line: first,
  last_line: last,
  total_lines: total,
  start,
  end,
  size,
  encoding,
}: Data): string {
  if (size === 0) return 'empty';
  if (start === end) return 'nothing at this position';
  const whole = start === 0 && end === size;
  const bytes = whole ? formatBytes(size) : `bytes ${start} to ${end - 1} of ${size}`;
  const how =
    encoding === 'utf-8' ? '' : ` as ${encoding === 'latin1' ? 'Latin-1 (not valid UTF-8)' : 'base64'}`;
  if (first === null || last === null) return bytes + how;
  const of = total === null ? '' : ` of ${total}`;
  return `${first === last ? `line ${first}` : `lines ${first} to ${last}`}${of} (${bytes})${how}`;
}

function factsOf({ mode, owner, group, links, sha256 }: Data): string {
  const hash = sha256 === null ? 'SHA-256 not computed, because the file is large' : `SHA-256 ${sha256}`;
  const others = links > 1 ? `, ${links} hard links` : '';
  return `mode ${mode}, ${owner}:${group}${others}, ${hash}`;
}
