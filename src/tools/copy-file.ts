import * as z from 'zod';
import type { CopyEnd, CopyResult } from '../proxmox/proxmox-types.ts';
import { formatBytes, inOneLine } from './shared/format.ts';
import { copyPlace, expectName, flag } from './shared/params.ts';
import { defineMultiPartTool } from './tool.ts';

const input = z
  .strictObject({
    source: copyPlace('VMID:/path, or host:/path for the Proxmox host'),
    target: copyPlace('VMID:/path or host:/path; the name of the copy, not its directory'),
    recursive: flag('Copy a directory with everything in it'),
    overwrite: flag('Replace an existing file or directory'),
    expect_name: expectName,
  })
  .refine(({ source, target }) => placeOf(source).vmid !== null || placeOf(target).vmid !== null, {
    path: ['target'],
    error: 'must be in a container if the source is on the host (use cp there)',
  });

const output = z.object({
  success: z.boolean(),
  message: z.string(),
  source: z.string(),
  target: z.string(),
  kind: z.enum(['file', 'directory']),
  bytes_transferred: z.number(),
  files: z.number(),
  directories: z.number(),
  links: z.number(),
  sha256: z.string(),
  permissions: z.string(),
  uid: z.number(),
  gid: z.number(),
  overwritten: z.boolean(),
});

export const copyFile = defineMultiPartTool({
  name: 'proxmox_copy_file',
  title: 'Copy a file between containers',
  description:
    'Copy a file or directory of any size from one running LXC container to another, or between a container and the Proxmox host. ' +
    'Streamed, verified by SHA-256 on both sides; it appears complete or not at all. Mode and numeric owner are kept.',
  toolset: 'files',
  effect: 'write',
  input,
  output,
  parts: (request) => [
    { role: 'target', vmid: placeOf(request.target).vmid, effect: 'write' },
    { role: 'source', vmid: placeOf(request.source).vmid, effect: 'read', discloses: true },
  ],
  async run(request, ctx) {
    const source: CopyEnd = { ...placeOf(request.source), precondition: ctx.preconditionOf('source') };
    const target: CopyEnd = { ...placeOf(request.target), precondition: ctx.preconditionOf('target') };
    const result = await ctx.cluster.copy({
      source,
      target,
      overwrite: request.overwrite,
      recursive: request.recursive,
      signal: ctx.signal,
      onProgress: (done, total) => ctx.progress(`${formatBytes(done)} of ${formatBytes(total)}`, done, total),
    });
    const from = shown(source.vmid, result.sourcePath);
    const to = shown(target.vmid, result.targetPath);
    return {
      data: {
        success: true,
        message: `Copied ${contentOf(result)} from ${inOneLine(from)} to ${inOneLine(to)}. ${VERIFIED[result.kind]}`,
        source: from,
        target: to,
        kind: result.kind,
        bytes_transferred: result.bytes,
        files: result.files,
        directories: result.directories,
        links: result.links,
        sha256: result.sha256,
        permissions: result.permissions,
        uid: result.uid,
        gid: result.gid,
        overwritten: result.overwritten,
      },
      text: (data) =>
        `${data.message} Mode ${data.permissions}, owner ${data.uid}:${data.gid}. SHA-256 ${data.sha256}`,
    };
  },
});

/** What was compared, so that no further comparison is needed. */
const VERIFIED = {
  file: 'Verified by SHA-256.',
  directory:
    'Verified: names, contents, link targets, modes and owners are equal. Times and hard links are kept, extended attributes are not.',
} as const;

function contentOf({ kind, bytes, files, directories, links }: CopyResult): string {
  if (kind === 'file') return formatBytes(bytes);
  const parts = [
    counted(files, 'file'),
    counted(directories, 'directory', 'directories'),
    counted(links, 'link'),
  ];
  return `${parts.join(', ')} (${formatBytes(bytes)})`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The VMID, or null for the node, and the path. The schema has checked the form. */
function placeOf(text: string): { readonly vmid: number | null; readonly path: string } {
  const at = text.indexOf(':');
  const where = text.slice(0, at);
  return { vmid: where === 'host' ? null : Number(where), path: text.slice(at + 1) };
}

function shown(vmid: number | null, path: string): string {
  return `${vmid ?? 'host'}:${path}`;
}
