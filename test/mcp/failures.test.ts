import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERAS, type TestClient } from './client.ts';
import { connectWithoutNode } from './fixtures.ts';

const VALID_ARGUMENTS = {
  proxmox_container_exec_command: { vmid: 101, command: 'true' },
  proxmox_start_container: { vmid: 101 },
  proxmox_stop_container: { vmid: 101 },
  proxmox_download_file_from_container: { vmid: 101, container_path: '/etc/hostname', local_path: 'a' },
  proxmox_upload_file_to_container: { vmid: 101, container_path: '/tmp/a', local_path: 'a' },
  proxmox_download_file_from_host: { host_path: '/etc/hostname', local_path: 'a' },
  proxmox_upload_file_to_host: { host_path: '/tmp/a', local_path: 'a' },
  proxmox_host_exec_command: { command: 'true' },
};

/** Every client checks structuredContent against the output schema, so a result that arrives has passed. */
describe.each(ERAS)('errors, %s client', (era) => {
  let client: TestClient;
  beforeAll(async () => {
    client = await connectWithoutNode(era);
    // The clients check results only of tools that they have seen listed.
    await client.listTools();
  });
  afterAll(() => client.close());

  test('reports an unreachable node as JSON, in text and data', async () => {
    const result = await client.callTool('proxmox_list_containers');
    expect(result).toMatchObject({ isError: true, data: { success: false, code: 'SSH_UNREACHABLE' } });
    expect(result.data.error).toEqual(expect.any(String));
    expect(result.data.suggestion).toEqual(expect.any(String));
    expect(JSON.parse(result.text)).toEqual(result.data);
  });

  test('reports it as readable text for tools with a text format', async () => {
    const result = await client.callTool('proxmox_container_exec_command', { vmid: 101, command: 'true' });
    expect(result).toMatchObject({ isError: true, data: { success: false, code: 'SSH_UNREACHABLE' } });
    expect(result.text).toBe(
      `Error (SSH_UNREACHABLE): ${result.data.error}\nSuggestion: ${result.data.suggestion}`,
    );
  });

  test('reports invalid arguments as a tool result', async () => {
    const result = await client.callTool('proxmox_container_status', { vmid: 'abc' });
    expect(result).toMatchObject({ isError: true, data: { success: false, code: 'INVALID_INPUT' } });
    expect(JSON.parse(result.text)).toEqual(result.data);
  });

  test('explains how to enable disabled host tools', async () => {
    for (const name of [
      'proxmox_download_file_from_host',
      'proxmox_upload_file_to_host',
      'proxmox_host_exec_command',
    ] as const) {
      const result = await client.callTool(name, VALID_ARGUMENTS[name]);
      expect(result).toMatchObject({ isError: true, data: { success: false, code: 'HOST_ACCESS_DISABLED' } });
      expect(result.text).toContain('ENABLE_HOST_EXEC');
    }
  });

  test('reports an unknown tool as a protocol error', async () => {
    await expect(client.callTool('proxmox_reboot_everything')).rejects.toMatchObject({ code: -32602 });
    await expect(client.callTool('proxmox_list_container')).rejects.toThrow(
      /did you mean proxmox_list_containers/,
    );
    await expect(client.callTool('constructor')).rejects.toMatchObject({ code: -32602 });
  });

  test('logs neither arguments nor secrets', async () => {
    await client.callTool('proxmox_container_exec_command', { vmid: 101, command: 'echo s3cret-argument' });
    expect(client.stderr()).not.toContain('s3cret-argument');
    expect(client.stderr()).not.toContain('not-a-real-password');
  });
});

describe('READ_ONLY is enforced for calls, not only in the list', () => {
  let client: TestClient;
  beforeAll(async () => {
    client = await connectWithoutNode('modern', { READ_ONLY: 'true', ENABLE_HOST_EXEC: 'true' });
  });
  afterAll(() => client.close());

  test.each(Object.entries(VALID_ARGUMENTS))('%s is refused', async (name, args) => {
    const result = await client.callTool(name, args);
    expect(result).toMatchObject({ isError: true, data: { success: false, code: 'READ_ONLY' } });
    expect(result.text).toContain('read-only');
  });

  test.each([
    ['proxmox_list_containers', {}],
    ['proxmox_container_status', { vmid: 101 }],
  ])('%s runs', async (name, args) => {
    expect((await client.callTool(name, args)).data.code).toBe('SSH_UNREACHABLE');
  });
});
