import { existsSync } from 'node:fs';
import path from 'node:path';
import type { HostEnvironment } from '../../../config/host-environment.ts';

/** A path in ~/.ssh that nothing has yet. */
export function freeKeyFile(at: HostEnvironment): string {
  const base = path.join(at.home, '.ssh', 'proxmox-mcp_ed25519');
  for (let n = 1; ; n += 1) {
    const file = n === 1 ? base : `${base}_${n}`;
    if (!existsSync(file) && !existsSync(`${file}.pub`)) return file;
  }
}
