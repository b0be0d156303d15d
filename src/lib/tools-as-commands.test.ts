import { expect, test } from 'vitest';
import { toolsAsCommands } from './tools-as-commands.ts';

test.each([
  ['Call proxmox_list_containers to see them.', 'Run `proxmox-mcp list` to see them.'],
  ['Start it with proxmox_start_container.', 'Start it with `proxmox-mcp start VMID`.'],
  ['Use proxmox_upload_file_to_host.', 'Use `proxmox-mcp call upload_file_to_host`.'],
  ['Ask your user to run `x`, and then call again.', 'Run `x`, and then try again.'],
  ['Call again, and ask the user to open the link.', 'Try again, and open the link.'],
  ['Tell the user to check `x`.', 'Check `x`.'],
  ['Look at the node.', 'Look at the node.'],
])('%s', (suggestion, shown) => {
  expect(toolsAsCommands(suggestion)).toBe(shown);
});

test('the commands have the VMID of the failure', () => {
  expect(toolsAsCommands('Start it with proxmox_start_container.', '104')).toBe(
    'Start it with `proxmox-mcp start 104`.',
  );
});
