/** The name of a tool without the prefix `proxmox_`, as on the command line. */
export function shortToolName(name: string): string {
  return name.replace(/^proxmox_/, '');
}
