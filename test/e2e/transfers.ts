import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { CallOptions, CallResult } from '../mcp/client.ts';
import { until } from '../rig/until.ts';
import { useClient } from './connect.ts';
import { FARS, type Far, type FarName, isPart } from './far.ts';
import type { NodeUnderTest } from './nodes.ts';

/** File names with characters that are special for a shell or a parser. */
export const WEIRD_NAMES: readonly [what: string, name: string][] = [
  ['leading and trailing spaces', ' two  words '],
  ['quotes and backslashes', `it's "q" \\n \\`],
  ['shell metacharacters', '$(touch pwned)`id`;&|<>*?[a]!{x,y}~#%'],
  ['a leading dash', '-rf'],
  ['an embedded newline', 'a\nb'],
  ['a trailing newline', 'trailing\n'],
  ['non-ASCII characters', 'naïve-日本-🐧'],
  ['255 bytes', 'n'.repeat(255)],
  ['a dot file', '.hidden'],
];

/** The name for a local file: local names that begin with a dot are refused. */
export function localName(name: string): string {
  return name.replace(/^\.+/, '');
}

/** Names of temporary files, which exist only during a transfer. */
export async function partsIn(dir: string): Promise<string[]> {
  return (await fs.readdir(dir)).filter(isPart);
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

/** Content that cannot be compressed, differs with each call, and is cheap to make. */
export function bytes(size: number): Buffer {
  const content = Buffer.alloc(size);
  for (let i = 0; i < size; i += 997) content[i] = (i * 31 + size) & 0xff;
  return content;
}

/** The remote ends with an empty directory for each test, which is removed after it. */
export function useFars(node: NodeUnderTest): (name: FarName) => Far {
  const fars = new Map<FarName, Far>();
  beforeEach(async () => {
    for (const name of FARS) fars.set(name, await node.far(name));
  });
  afterEach(async () => {
    for (const far of fars.values()) await far.remove();
  });
  return (name) => {
    const far = fars.get(name);
    if (far === undefined) throw new Error('used before the test has begun');
    return far;
  };
}

/**
 * A server with its own transfer directory, and remote ends with an empty directory for each test. After every test, whether it
 * passed or failed, no temporary file and no process of a transfer may be left.
 */
export function useTransfers(node: NodeUnderTest, env: Readonly<Record<string, string>> = {}) {
  const server = useClient(node, { ENABLE_HOST_EXEC: 'true', ...env });
  const fars = new Map<FarName, Far>();
  beforeEach(async () => {
    for (const name of FARS) fars.set(name, await node.far(name));
  });
  afterEach(async () => {
    try {
      for (const far of fars.values()) {
        expect(await far.parts(), `parts left in ${far.name}`).toEqual([]);
        // The script has reported its result; its process may end a moment later.
        await until(async () => (await far.transferProcesses()).length === 0).catch(() => {});
        expect(await far.transferProcesses(), `processes left in ${far.name}`).toEqual([]);
      }
      expect(await partsIn(server.dir), 'parts left here').toEqual([]);
    } finally {
      for (const far of fars.values()) await far.remove();
      for (const name of await fs.readdir(server.dir)) {
        await fs.rm(path.join(server.dir, name), { recursive: true, force: true });
      }
    }
  });
  return {
    server,
    far(name: FarName): Far {
      const far = fars.get(name);
      if (far === undefined) throw new Error('used before the test has begun');
      return far;
    },
    /** The path on this machine of a file in the transfer directory. */
    local: (name: string): string => path.join(server.dir, name),
    upload: (far: Far, local_path: string, remote: string, more: object = {}, options?: CallOptions) =>
      call(server.call, 'upload', far, { local_path, ...more }, remote, options),
    download: (far: Far, remote: string, local_path: string, more: object = {}, options?: CallOptions) =>
      call(server.call, 'download', far, { local_path, ...more }, remote, options),
  };
}

type Call = ReturnType<typeof useClient>['call'];

function call(
  send: Call,
  verb: 'upload' | 'download',
  far: Far,
  args: Record<string, unknown>,
  remote: string,
  options?: CallOptions,
): Promise<CallResult> {
  const way = verb === 'upload' ? 'upload_file_to' : 'download_file_from';
  return far.vmid === undefined
    ? send(`${way}_host`, { host_path: remote, ...args }, options)
    : send(`${way}_container`, { vmid: far.vmid, container_path: remote, ...args }, options);
}
