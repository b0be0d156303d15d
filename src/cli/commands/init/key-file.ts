import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { HostEnvironment } from '../../../config/host-environment.ts';

/** An unused path in ~/.ssh for a new key. */
export function freeKeyFile(at: HostEnvironment): string {
  const base = path.join(at.home, '.ssh', 'proxmox-mcp_ed25519');
  for (let n = 1; ; n += 1) {
    const file = n === 1 ? base : `${base}_${n}`;
    if (!existsSync(file) && !existsSync(`${file}.pub`)) return file;
  }
}

/** The private keys in ~/.ssh that have a .pub file, sorted by name. */
export function keyPairFiles(at: HostEnvironment): readonly string[] {
  const dir = path.join(at.home, '.ssh');
  const names = existsSync(dir) ? readdirSync(dir).sort() : [];
  return names
    .filter((name) => name.endsWith('.pub') && names.includes(name.slice(0, -'.pub'.length)))
    .map((name) => path.join(dir, name.slice(0, -'.pub'.length)));
}

/** Replaces the home directory in a path with `~`. */
export function tilde(file: string, at: HostEnvironment): string {
  const inside = path.relative(at.home, file);
  return inside.startsWith('..') || path.isAbsolute(inside) ? file : path.join('~', inside);
}
