import { expect, test } from 'vitest';
import { containerExecCommand } from '../../../tools/container-exec-command.ts';
import { execInContainers } from '../../../tools/exec-in-containers.ts';
import { TOOLS } from '../../../tools/index.ts';
import { stopContainer } from '../../../tools/stop-container.ts';
import { UsageError } from '../../usage-error.ts';
import { findTool, readArguments } from './call-arguments.ts';

const nothing = () => Promise.resolve('');

test.each(['stop_container', 'proxmox_stop_container', 'stop-container'])(
  'accepts %s as the name of the tool',
  (name) => {
    expect(findTool(name, TOOLS)).toBe(stopContainer);
  },
);

test.each([
  ['stop_containr', 'Did you mean stop_container?'],
  ['proxmox_stop_continer', 'Did you mean stop_container?'],
  ['container_exec', 'Did you mean container_exec_command?'],
  ['container', 'Did you mean container_exec_command or container_status?'],
  ['proxmox_upload', 'Did you mean upload_file_to_container or upload_file_to_host?'],
  ['proxmox_', "there is no tool 'proxmox_'"],
  ['reboot', "there is no tool 'reboot'"],
])('rejects the tool name %s: %s', (name, message) => {
  expect(() => findTool(name, TOOLS)).toThrow(message);
});

test('parses name=value by the type of the parameter', async () => {
  const exec = ['vmid=101', 'command=5', 'timeout=7'];
  expect(await readArguments(containerExecCommand, exec, nothing)).toEqual({
    vmid: 101,
    command: '5',
    timeout: 7,
  });
  const stop = ['vmid=101', 'force=true', 'timeout=soon'];
  expect(await readArguments(stopContainer, stop, nothing)).toEqual({
    vmid: 101,
    force: true,
    timeout: 'soon',
  });
  const commands = ['commands={"101": "a=b, c"}'];
  expect(await readArguments(execInContainers, commands, nothing)).toEqual({ commands: { 101: 'a=b, c' } });
  const equals = ['command=a=b', 'response-format=json'];
  expect(await readArguments(containerExecCommand, equals, nothing)).toEqual({
    command: 'a=b',
    response_format: 'json',
  });
});

test('accepts JSON as one argument or on stdin', async () => {
  expect(await readArguments(stopContainer, ['{"vmid": 101}'], nothing)).toEqual({ vmid: 101 });
  const stdin = () => Promise.resolve('{"vmid":\n102}\n');
  expect(await readArguments(stopContainer, ['-'], stdin)).toEqual({ vmid: 102 });
  expect(await readArguments(stopContainer, [], nothing)).toEqual({});
});

test.each([
  [['{"vmid": 101'], 'the argument is not JSON'],
  [['[101]'], 'not a JSON object'],
  [['-'], 'stdin is not JSON'],
  [['{}', 'vmid=101'], "unexpected argument: 'vmid=101'"],
  [['101'], "'101' is neither name=value"],
])('rejects %j: %s', async (words, message) => {
  const reading = readArguments(stopContainer, words, nothing);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toThrow(UsageError);
});
