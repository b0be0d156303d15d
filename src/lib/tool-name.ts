/** The name of a tool without the prefix `proxmox_`, for people. */
export function shortToolName(name: string): string {
  return name.replace(/^proxmox_/, '');
}
