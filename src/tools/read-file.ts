import * as z from 'zod';
import type { ReadResult } from '../proxmox/proxmox-types.ts';
import { formatBytes, framed, frameWord } from './shared/format.ts';
import { containerInput, path, wholeNumber } from './shared/params.ts';
import { defineContainerTool } from './tool.ts';

const output = z.object({
  vmid: z.number(),
  path: z.string(),
  size: z.number(),
  mode: z.string(),
  owner: z.string(),
  group: z.string(),
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
  redacted: z.number().optional(),
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

function toData(vmid: number, result: ReadResult): Data {
  const {
    path: file,
    size,
    mode,
    owner,
    group,
    uid,
    gid,
    sha256,
    encoding,
    content,
    start,
    end,
    next,
  } = result;
  return {
    vmid,
    path: file,
    size,
    mode,
    owner,
    group,
    uid,
    gid,
    sha256,
    encoding,
    content,
    start,
    end,
    first_line: result.firstLine,
    last_line: result.lastLine,
    total_lines: result.totalLines,
    ...(result.redacted === 0 ? {} : { redacted: result.redacted }),
    next,
  };
}

/** One line about the file, then the part, framed by a random word so that it cannot pose as text of this server. */
function readText(data: Data): string {
  const { content, next } = data;
  const word = frameWord();
  const lines = [`${data.path} in container ${data.vmid}: ${partOf(data)}, ${factsOf(data)}`];
  if (content !== '') {
    lines.push(framed(word, content, 'file'));
  }
  if (next !== null) {
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

function factsOf({ mode, owner, group, sha256 }: Data): string {
  const hash = sha256 === null ? 'SHA-256 not computed, because the file is large' : `SHA-256 ${sha256}`;
  return `mode ${mode}, ${owner}:${group}, ${hash}`;
}
