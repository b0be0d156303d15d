/** The commands that stand for tools, for those who read a suggestion in a terminal. */
const COMMANDS: Readonly<Record<string, string>> = {
  proxmox_list_containers: '`proxmox-mcp list`',
  proxmox_container_status: '`proxmox-mcp status VMID`',
  proxmox_start_container: '`proxmox-mcp start VMID`',
  proxmox_stop_container: '`proxmox-mcp stop VMID`',
  proxmox_container_exec_command: "`proxmox-mcp exec VMID 'COMMAND'`",
};

/**
 * A suggestion as a person at a terminal can follow it. Suggestions are written for the models that call tools: here the names of
 * tools become commands, and "your user" is the reader.
 */
export function forPeople(suggestion: string): string {
  return suggestion
    .replaceAll(/\b[Aa]sk your user to (\w)/g, (whole, next: string) =>
      whole.startsWith('A') ? next.toUpperCase() : next,
    )
    .replaceAll(/\b(?:Call|call|with) (proxmox_\w+)/g, (whole, tool: string) => {
      const command = COMMANDS[tool] ?? `\`proxmox-mcp call ${tool.replace('proxmox_', '')}\``;
      return whole
        .replace(/^(Call|call) .*$/, (_all, verb: string) => `${verb === 'Call' ? 'Run' : 'run'} ${command}`)
        .replace(/^with .*$/, `with ${command}`);
    })
    .replaceAll(
      /\bproxmox_\w+/g,
      (tool) => COMMANDS[tool] ?? `\`proxmox-mcp call ${tool.replace('proxmox_', '')}\``,
    );
}
