/** The name of a tool without the word that all of them begin with, as people type and read it. */
export function shortToolName(name: string): string {
  return name.replace(/^proxmox_/, '');
}
