import { type HostEnvironment, pathsOf } from './host-environment.ts';

/** The default state directory, by the convention of each platform. It is created on first use. */
export function defaultStateDir(at: HostEnvironment): string {
  const { join } = pathsOf(at);
  if (at.platform === 'win32') {
    return join(at.env.LOCALAPPDATA || join(at.home, 'AppData', 'Local'), 'proxmox-mcp');
  }
  if (at.platform === 'darwin') return join(at.home, 'Library', 'Application Support', 'proxmox-mcp');
  return join(at.env.XDG_STATE_HOME || join(at.home, '.local', 'state'), 'proxmox-mcp');
}
