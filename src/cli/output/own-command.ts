import path from 'node:path';
import { shellWord } from '../../lib/quote.ts';

/**
 * The command that starts this program as it was started: `proxmox-mcp` if it is installed, `node dist/bin.js` in a clone.
 * @param script the path of the script that Node.js runs; an installed program is a link without an extension, except on Windows
 */
export function ownCommand(
  script = process.argv[1] ?? '',
  cwd = process.cwd(),
  platform: NodeJS.Platform = process.platform,
): string {
  if (platform === 'win32' || path.extname(script) !== '.js') return 'proxmox-mcp';
  const relative = path.relative(cwd, script);
  return `node ${shellWord(relative.startsWith('..') ? script : relative)}`;
}
