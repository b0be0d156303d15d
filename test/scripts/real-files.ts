import { execFileSync } from 'node:child_process';
import {
  appendFile,
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import type { MachineFiles } from './machine.ts';

/** Files of this computer. */
export const realFiles: MachineFiles = {
  async write(file, content, mode = 0o644) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content, { mode });
  },
  append: (file, content) => appendFile(file, content),
  read: (file) => readFile(file, 'utf8').catch(() => undefined),
  list: async (folder) => (await readdir(folder).catch(() => [])).sort(),
  mode: async (file) => ((await stat(file)).mode & 0o7777).toString(8),
  chmod,
  truncate,
  space: async (file) => (await stat(file)).blocks * 512,
  isSymlink: async (file) => (await lstat(file)).isSymbolicLink(),
  mkdir: async (folder) => void (await mkdir(folder, { recursive: true })),
  symlink: (target, file) => symlink(target, file),
  fifo: async (file) => void execFileSync('mkfifo', [file]),
  async writeFifo(file, content, meanwhile) {
    const fifo = await open(file, 'w');
    try {
      await meanwhile();
      await fifo.write(content);
    } finally {
      await fifo.close();
    }
  },
  remove: (file) => rm(file, { recursive: true, force: true }),
};
