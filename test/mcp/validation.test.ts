import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestClient } from './client.ts';
import { connectWithoutNode } from './fixtures.ts';

/**
 * Without a node, valid arguments end in SSH_UNREACHABLE and invalid ones in INVALID_INPUT, so the code shows whether a call
 * passed the validation.
 */
let client: TestClient;
beforeAll(async () => {
  client = await connectWithoutNode('modern', { ENABLE_HOST_EXEC: 'true' });
});
afterAll(() => client.close());

async function codeOf(tool: string, args: Record<string, unknown>): Promise<unknown> {
  return (await client.callTool(tool, args)).data.code;
}

const exec = 'proxmox_container_exec_command';
const status = 'proxmox_container_status';
const upload = 'proxmox_upload_file_to_container';

describe('vmid', () => {
  test.each([[100], [999_999_999], [101.0], ['101'], ['999999999']])('accepts %j', async (vmid) => {
    expect(await codeOf(status, { vmid })).toBe('SSH_UNREACHABLE');
  });

  test.each([
    [99],
    [1_000_000_000],
    [101.5],
    [-101],
    ['0x65'],
    ['1e2'],
    [' 101'],
    ['101 '],
    ['101\n'],
    ['+101'],
    ['0101'],
    ['101.0'],
    ['99'],
    ['1000000000'],
    ['١٠١'],
    [''],
    [[150]],
    [{ vmid: 101 }],
    [true],
    [null],
    ['101;reboot'],
    ['-101'],
  ])('refuses %j', async (vmid) => {
    const result = await client.callTool(status, { vmid });
    expect(result).toMatchObject({ isError: true, data: { success: false, code: 'INVALID_INPUT' } });
    expect(result.data.error).toContain('`vmid` must be an integer from 100 to 999999999');
  });
});

describe('other arguments', () => {
  test.each([
    [exec, { command: 'x'.repeat(10_000) }],
    [exec, { command: '🦀'.repeat(10_000) }],
    [exec, { command: 'true', timeout: 1 }],
    [exec, { command: 'true', timeout: 300 }],
    [exec, { command: 'true', response_format: 'JSON' }],
    [exec, { command: 'true', response_format: 'Text' }],
    ['proxmox_stop_container', { timeout: 300, force: true }],
    ['proxmox_stop_container', { timeout: '300', force: 'False' }],
    [exec, { command: 'true', timeout: null, expect_name: null, response_format: '' }],
    [
      upload,
      { local_path: '/x', container_path: '/b', owner: '', group: null, permissions: '', overwrite: 'true' },
    ],
    ['proxmox_download_file_from_container', { container_path: `/${'a'.repeat(4095)}`, local_path: 'a' }],
  ])('%s accepts values in range', async (tool, args) => {
    expect(await codeOf(tool, { vmid: 101, ...args })).toBe('SSH_UNREACHABLE');
  });

  test.each([
    [exec, { command: '' }, '`command` must not be empty'],
    [exec, { command: 'a\0b' }, '`command` must not contain a NUL character'],
    [exec, { command: ['ls'] }, '`command` must be a string'],
    [exec, {}, '`command` is required'],
    [exec, { command: 'a', timeout: 0 }, '`timeout` must be an integer from 1 to 86400'],
    [exec, { command: 'a', timeout: 1.5 }, '`timeout` must be an integer from 1 to 86400'],
    [
      exec,
      { command: 'a', timeout: '1.5' },
      '`timeout` must be an integer from 1 to 86400 (seconds), got "1.5"',
    ],
    [exec, { command: 'a', timeout: '30s' }, '`timeout` must be an integer from 1 to 86400'],
    [exec, { command: 'a', expect_name: '' }, '`expect_name` must not be empty'],
    [exec, { command: 'a', response_format: 'xml' }, '`response_format` must be "text" or "json"'],
    ['proxmox_stop_container', { force: 'yes' }, '`force` must be true or false'],
    ['proxmox_stop_container', { force: 1 }, '`force` must be true or false'],
    ['proxmox_stop_container', { timeout: 0 }, '`timeout` must be'],
    [upload, { local_path: 'a', container_path: '' }, '`container_path` must not be empty'],
    [upload, { local_path: 'a'.repeat(4097), container_path: '/b' }, '`local_path` must have 1 to 4,096'],
    [upload, { local_path: 'a', container_path: '/b', permissions: '64' }, '`permissions` must be three or'],
    [upload, { local_path: 'a', container_path: '/b', permissions: '00644' }, '`permissions` must be three'],
    [upload, { local_path: 'a', container_path: '/b', permissions: '649' }, '`permissions` must be three or'],
    [upload, { local_path: 'a', container_path: '/b', permissions: 644 }, '`permissions` must be a string'],
    [
      upload,
      { local_path: 'a', container_path: '/b', owner: '-R' },
      '`owner` must be a name or a numeric id',
    ],
    [upload, { local_path: 'a', container_path: '/b', group: 'a b' }, '`group` must be a name or a numeric'],
  ])('%s explains what is wrong with %j', async (tool, args, message) => {
    const result = await client.callTool(tool, { vmid: 101, ...args });
    expect(result).toMatchObject({ isError: true, data: { success: false, code: 'INVALID_INPUT' } });
    expect(result.data.error).toContain(message);
    expect(result.data.suggestion).toContain(tool);
    expect(result.text).toContain(message.replaceAll('"', result.text.startsWith('{') ? '\\"' : '"'));
  });

  test.each([
    ['proxmox_stop_container', { vmid: 101, timeout: 301 }, 'Correct the arguments and call again.'],
    ...[exec, 'proxmox_host_exec_command'].flatMap((tool): [string, object, string][] => {
      const vmid = tool === exec ? { vmid: 101 } : {};
      const script = 'upload it with proxmox_upload_file_to_container';
      const background = 'Set `background` to true';
      return [
        [tool, { ...vmid, command: 'x'.repeat(10_001) }, script],
        [tool, { ...vmid, command: '🦀'.repeat(10_001) }, script],
        [tool, { ...vmid, command: 'x', timeout: 301 }, background],
        [tool, { ...vmid, command: 'x', timeout: '3600' }, background],
      ];
    }),
  ])('%s suggests an alternative for a value that is too large', async (tool, args, step) => {
    const { data, text } = await client.callTool(tool, { ...args });
    expect(data.code).toBe('INVALID_INPUT');
    expect(data.error).toMatch(
      /`(command` must have 1 to 10,000 characters|timeout` must be an integer from 1 to 300 \(seconds\)( unless `background` is true)?, got "?3(01|600)"?)\./,
    );
    expect(data.suggestion).toContain(step);
    expect(text).toContain(step);
  });

  test('does not repeat a long value, which may contain a secret', async () => {
    const result = await client.callTool(exec, { vmid: 101, command: `${'x'.repeat(10_001)}secret` });
    expect(result.text).not.toContain('secret');
  });
});

describe('unknown arguments', () => {
  test('are refused by name with a suggestion, together with all other errors', async () => {
    const result = await client.callTool(exec, { vm_id: 101, cmd: 'ls', comand: 'ls', timeout: 0 });
    expect(result.data.code).toBe('INVALID_INPUT');
    for (const fault of [
      '`vmid` is required',
      '`command` is required',
      '`timeout` must be',
      '`vm_id` is not an argument (did you mean `vmid`?)',
      '`comand` is not an argument (did you mean `command`?)',
      '`cmd` is not an argument',
    ]) {
      expect(result.text).toContain(fault);
    }
    expect(result.data.suggestion).toMatch(/: vmid, command, timeout, .*response_format/);
  });

  test.each(['constructor', 'toString', 'vmid ', 'VMID'])('refuse %j', async (name) => {
    const args: Record<string, unknown> = JSON.parse(`{"vmid": 101, ${JSON.stringify(name)}: 1}`);
    const result = await client.callTool(status, args);
    expect(result.data.code).toBe('INVALID_INPUT');
    expect(result.data.error).toContain(`\`${name}\` is not an argument`);
  });

  test('return a short error for thousands of names', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`argument_${index}`, index]));
    const result = await client.callTool(status, { vmid: 101, ...many });
    expect(result.data.code).toBe('INVALID_INPUT');
    expect(result.text.length).toBeLessThan(3000);
  });
});

test.each([
  [exec, { vmid: 'web', command: 'ls' }],
  [exec, { container: 'web', command: 'ls' }],
  ['proxmox_inspect_containers', { vmids: ['web'] }],
  ['proxmox_exec_in_containers', { commands: { web: 'ls' } }],
])('a name instead of a VMID: %s suggests to find the VMID', async (tool, args) => {
  const { data } = await client.callTool(tool, { ...args });
  expect(data.code).toBe('INVALID_INPUT');
  expect(data.suggestion).toContain('Find a vmid by name with proxmox_list_containers.');
});

test('other errors do not suggest to find a VMID', async () => {
  const { data } = await client.callTool(exec, { vmid: 101, command: 1 });
  expect(data.suggestion).not.toContain('vmid by name');
});

test.each([
  [
    {
      edits: [
        { old: 'a', new: 'b' },
        { old_string: 'a', new: 'b' },
      ],
    },
    ['`edits[1].old` is required', '`edits[1]` has no field `old_string`'],
  ],
  [{ edits: '[{"old":1,"new":"b"}]' }, ['`edits[0].old` must be a string, got 1']],
  [{ edits: [{ old: 1, new: 'b' }] }, ['`edits[0].old` must be a string, got 1']],
  [{ edits: { old: 'a', new: 'b' } }, ['`edits` must be a list of {old, new}, got {']],
  [{}, ['`edits` or `diff` is required, but not both.']],
])('errors in a list of objects name the field: %j', async (args, faults) => {
  const { data } = await client.callTool('proxmox_edit_file', { vmid: 101, path: '/etc/x', ...args });
  expect(data.code).toBe('INVALID_INPUT');
  for (const fault of faults) expect(data.error).toContain(fault);
});

test('a tool without arguments says so', async () => {
  const { data } = await client.callTool('proxmox_list_jobs', { all: true });
  expect(data.error).toContain('`all` is not an argument');
  expect(data.suggestion).toContain('proxmox_list_jobs has no arguments.');
});

test('every tool checks its required arguments', async () => {
  for (const tool of await client.listTools()) {
    const required = tool.inputSchema.required;
    if (!Array.isArray(required)) continue;
    const result = await client.callTool(tool.name, {});
    expect(result.data.code).toBe('INVALID_INPUT');
    for (const name of required) expect(result.data.error).toContain(`\`${name}\` is required`);
  }
});
