import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { TOOLS } from './index.ts';
import { hintsOf } from './tool.ts';
import { inputSchemaOf } from './tool-schema.ts';

/** Files of the folder without a tool. */
const OTHERS = new Set(['index.ts', 'tool.ts', 'tool-schema.ts']);

test('every tool has a file of its name, and every file a tool', async () => {
  const files = await readdir(new URL('.', import.meta.url));
  const named = files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !OTHERS.has(file))
    .map((file) => `proxmox_${file.slice(0, -'.ts'.length).replaceAll('-', '_')}`);
  expect(TOOLS.map((tool) => tool.name).sort()).toEqual(named.sort());
});

test('tool names are unique', () => {
  expect(new Set(TOOLS.map((tool) => tool.name)).size).toBe(TOOLS.length);
});

test('hints state the effect of each tool', () => {
  const told = Object.fromEntries(
    TOOLS.map((tool) => {
      const hints = hintsOf(tool);
      const words = [
        hints.readOnlyHint && 'reads',
        hints.destructiveHint && 'destroys',
        hints.openWorldHint && 'open',
      ];
      return [tool.name, words.filter((word) => word !== false).join(' ')];
    }),
  );
  expect(told).toEqual({
    proxmox_cluster_status: 'reads',
    proxmox_container_exec_command: 'destroys open',
    proxmox_exec_in_containers: 'destroys open',
    proxmox_inspect_containers: 'reads',
    proxmox_list_containers: 'reads',
    proxmox_read_logs: 'reads',
    proxmox_container_status: 'reads',
    proxmox_start_container: '',
    proxmox_stop_container: 'destroys',
    proxmox_download_file_from_container: 'destroys',
    proxmox_upload_file_to_container: 'destroys',
    proxmox_download_file_from_host: 'destroys',
    proxmox_upload_file_to_host: 'destroys',
    proxmox_host_exec_command: 'destroys open',
    proxmox_read_file: 'reads',
    proxmox_edit_file: 'destroys open',
    proxmox_copy_file: 'destroys',
    proxmox_get_job: 'reads',
    proxmox_list_jobs: 'reads',
    proxmox_cancel_job: '',
  });
});

test.each(TOOLS.map((tool) => [tool.name, tool] as const))(
  '%s and each of its parameters have a description',
  (_, tool) => {
    expect(tool.description.length).toBeGreaterThanOrEqual(40);
    for (const [name, schema] of Object.entries(inputSchemaOf(tool).properties)) {
      expect(schema, name).toMatchObject({ description: expect.stringMatching(/^[A-Z].{7,}/) });
    }
  },
);

test('descriptions name existing tools only', () => {
  const names = new Set(TOOLS.map((tool) => tool.name));
  for (const tool of TOOLS) {
    for (const [mentioned] of tool.description.matchAll(/proxmox_\w+/g)) expect(names).toContain(mentioned);
  }
});
