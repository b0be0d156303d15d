/** The commands that run a tool from a shell. Every other tool runs with `proxmox-mcp call`. */
const COMMANDS: Readonly<Record<string, string>> = {
  proxmox_list_containers: '`proxmox-mcp list`',
  proxmox_container_status: '`proxmox-mcp status VMID`',
  proxmox_start_container: '`proxmox-mcp start VMID`',
  proxmox_stop_container: '`proxmox-mcp stop VMID`',
  proxmox_container_exec_command: "`proxmox-mcp exec VMID 'COMMAND'`",
};

/**
 * A next step that was written for a model, rewritten for a person at a shell: tool names become commands, and "ask your user
 * to" is dropped, because the reader is the user.
 */
export function toolsAsCommands(text: string): string {
  return text
    .replaceAll(/\b[Aa]sk your user to (\w)/g, (whole, next: string) =>
      whole.startsWith('A') ? next.toUpperCase() : next,
    )
    .replaceAll(/\bCall (?=proxmox_\w)/g, 'Run ')
    .replaceAll(/\bcall (?=proxmox_\w)/g, 'run ')
    .replaceAll(
      /\bproxmox_\w+/g,
      (tool) => COMMANDS[tool] ?? `\`proxmox-mcp call ${tool.replace('proxmox_', '')}\``,
    );
}
