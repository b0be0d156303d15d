/** The commands that run a tool from a shell. Every other tool runs with `proxmox-mcp call`. */
const COMMANDS: Readonly<Record<string, string>> = {
  proxmox_list_containers: '`proxmox-mcp list`',
  proxmox_container_status: '`proxmox-mcp status VMID`',
  proxmox_start_container: '`proxmox-mcp start VMID`',
  proxmox_stop_container: '`proxmox-mcp stop VMID`',
  proxmox_container_exec_command: "`proxmox-mcp exec VMID 'COMMAND'`",
};

/**
 * A next step that was written for a model, rewritten for a person at a shell: tool names become commands, and "ask the user
 * to" is dropped, because the reader is the user.
 * @param vmid the container of the failure, for the commands; undefined if there is none
 */
export function toolsAsCommands(text: string, vmid: string | undefined = undefined): string {
  return text
    .replaceAll(/\b(?:[Aa]sk|[Tt]ell) (?:your|the) user to (\w)/g, (whole, next: string) =>
      /^[AT]/.test(whole) ? next.toUpperCase() : next,
    )
    .replaceAll(/\bCall (?=proxmox_\w)/g, 'Run ')
    .replaceAll(/\bcall (?=proxmox_\w)/g, 'run ')
    .replaceAll(
      /\bproxmox_\w+/g,
      (tool) =>
        COMMANDS[tool]?.replace('VMID', vmid ?? 'VMID') ??
        `\`proxmox-mcp call ${tool.replace('proxmox_', '')}\``,
    )
    .replaceAll(/\bCall again\b/g, 'Try again')
    .replaceAll(/\bcall again\b/g, 'try again');
}
