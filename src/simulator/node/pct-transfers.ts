import { FileError } from '../files/inode.ts';
import type { VirtualFs } from '../files/virtual-fs.ts';
import { badParameter, type PctCall, PctError, requireConfig, type Verb } from './pct.ts';
import { locked } from './pct-life-cycle.ts';

const OPTIONS = { user: 'string', group: 'string', perms: 'string' } as const;

/** push and pull, with their lies: whatever fails inside gives code 0, and a full disk a short file without a word. */
export const transferVerbs: Readonly<Record<string, Verb>> = {
  push: {
    options: OPTIONS,
    async run(call, vmid) {
      const { source, destination } = paths(call);
      await locked(call, vmid, 4, async () => {
        const guest = call.node.runningGuest(vmid);
        if (!guest) throw new PctError(255, 'can only push files to a running CT');
        requireConfig(call.node, vmid, 2);
        await copyBlindly(call, call.node.files, source, guest.files, destination, 'source first');
      });
    },
  },
  pull: {
    options: OPTIONS,
    async run(call, vmid) {
      const { source, destination } = paths(call);
      await locked(call, vmid, 4, async () => {
        const guest = call.node.runningGuest(vmid);
        if (!guest)
          throw new PctError(
            255,
            'can only pull files from a running VM at /usr/share/perl5/PVE/CLI/pct.pm line 578.',
          );
        await copyBlindly(call, guest.files, source, call.node.files, destination, 'destination first');
      });
    },
  },
};

function paths({ positional }: PctCall): { source: string; destination: string } {
  const [source, destination] = positional;
  if (source === undefined || destination === undefined) throw badParameter('not enough arguments');
  return { source, destination };
}

async function copyBlindly(
  { options, stderr }: PctCall,
  from: VirtualFs,
  source: string,
  to: VirtualFs,
  destination: string,
  order: 'source first' | 'destination first',
): Promise<void> {
  const perms = options.perms === undefined ? {} : { mode: Number.parseInt(options.perms, 8) };
  try {
    if (order === 'source first' && !from.exists(source))
      throw new Error(`failed to open ${source} for reading`);
    to.write(destination, '', perms);
    if (!from.exists(source)) throw new Error(`failed to open ${source}: No such file or directory`);
    const content = from.get(source).kind === 'directory' ? Buffer.alloc(0) : from.read(source);
    writeWhatFits(to, destination, content);
  } catch (error) {
    const text =
      error instanceof FileError
        ? `failed to create file: ${destination}: ${error.text}`
        : String(error instanceof Error ? error.message : error);
    await stderr.write(`${text}\n`);
  }
}

function writeWhatFits(files: VirtualFs, path: string, content: Buffer): void {
  for (let size = content.length; ; size = Math.floor(size / 2)) {
    try {
      files.write(path, content.subarray(0, size));
      return;
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== 'ENOSPC' || size === 0) throw error;
    }
  }
}
