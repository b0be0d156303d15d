import { type HostEnvironment, pathsOf } from './host-environment.ts';

/** Where programs keep what must outlast a run, by the custom of each platform. Made when something is first put there. */
export function defaultStateDir(at: HostEnvironment): string {
  const { join } = pathsOf(at);
  if (at.platform === 'win32') {
    return join(at.env.LOCALAPPDATA || join(at.home, 'AppData', 'Local'), 'proxmox-mcp');
  }
  if (at.platform === 'darwin') return join(at.home, 'Library', 'Application Support', 'proxmox-mcp');
  return join(at.env.XDG_STATE_HOME || join(at.home, '.local', 'state'), 'proxmox-mcp');
}
