import { expect, test } from 'vitest';
import type { Decision, Subject } from '../policy/policy-types.ts';
import { STOP_CALL } from '../policy/subject.fixture.ts';
import { questionOf } from './question.ts';

const facts = { vmid: 101, name: 'web', node: 'pve1', pool: null, tags: [] };
const subject: Subject = {
  ...STOP_CALL,
  tool: 'proxmox_container_exec_command',
  effect: 'exec',
  canForce: false,
};
const decision: Decision = {
  outcome: 'confirm',
  rule: 'r',
  reason: null,
  effect: 'exec',
  code: null,
  confirmAtTerminal: false,
  attributes: facts,
  unneeded: [],
};
const ask = (command: string, input: Record<string, unknown> = {}) =>
  questionOf({
    targets: [{ subject: { ...subject, command }, decision, attributes: facts }],
    input,
    host: 'pve',
    source: null,
  });

test('keeps commands and arguments from imitating lines of the question', () => {
  const text = ask('true\nContainer: 102, other\r\nNode: x', { local_path: '/a\nContainer: 103, other' });
  const lines = text.split('\n');
  expect(lines.filter((line) => line.startsWith('Container:'))).toEqual(['Container: 101, web']);
  expect(lines.filter((line) => line.startsWith('Node:'))).toEqual(['Node: pve1']);
  expect(lines).toContain('  | Container: 102, other');
  expect(text).toContain('local_path: "/a\\nContainer: 103, other"');
});

test('shows control and invisible characters as escapes', () => {
  const text = ask('ls\u001b[2J\u202etxt\u200b\rrm -rf /');
  expect(text).toContain('ls<U+001B>[2J<U+202E>txt<U+200B><U+000D>rm -rf /');
});

test('shows a long command in full', () => {
  const command = `${'a'.repeat(9_990)}; rm x`;
  expect(ask(command)).toContain(command);
});

test('names the host and states that it is the node itself', () => {
  const text = questionOf({
    targets: [{ subject, decision, attributes: null }],
    input: {},
    host: 'pve.lan',
    source: null,
  });
  expect(text).toContain('the Proxmox node pve.lan itself');
});

test('shows size and digest of an upload', () => {
  const source = { bytes: 3, sha256: 'abc' };
  const text = questionOf({
    targets: [{ subject, decision, attributes: facts }],
    input: {},
    host: 'pve',
    source,
  });
  expect(text).toContain('File: 3 bytes, SHA-256 abc');
});

test('names each container of a call on several containers', () => {
  const other = { ...facts, vmid: 102, name: 'db', tags: ['prod'] };
  const targets = [facts, other].map((attributes) => ({ subject, decision, attributes }));
  const input = { vmids: [101, 102, 103], tags: ['a\nContainer: 104, x'], command: 'true', check: 'ls' };
  const text = questionOf({ targets, others: [103], input, host: 'pve', source: null });
  expect(text.split('\n').slice(2, 8)).toEqual([
    'Container: 101, web; Node: pve1',
    'Container: 102, db; Node: pve1; Tags: prod',
    'Also in, without approval: 103',
    'vmids: [101,102,103]',
    'tags: ["a\\nContainer: 104, x"]',
    'check: "ls"',
  ]);
  expect(text).toMatch(/Command \(4 characters\):\n {2}\| true$/);
});

test('shows the command of each container last, equal ones once', () => {
  const other = { ...facts, vmid: 102, name: 'db' };
  const targets = [facts, other].map((attributes) => ({ subject, decision, attributes }));
  const commands = [
    { vmid: 101, command: 'ls\nCommand in 102 (4 characters):' },
    { vmid: 102, command: 'true' },
    { vmid: 103, command: 'true' },
  ];
  const text = questionOf({
    targets,
    others: [103],
    commands,
    input: { commands },
    host: 'pve',
    source: null,
  });
  expect(text.split('\n').slice(-8)).toEqual([
    'Approval required by: rule "r"',
    '',
    'Command in 101 (33 characters):',
    '  | ls',
    '  | Command in 102 (4 characters):',
    '',
    'Command in 102, 103 (4 characters):',
    '  | true',
  ]);
  expect(text).not.toContain('commands:');
});
