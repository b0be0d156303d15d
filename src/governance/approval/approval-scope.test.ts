import { expect, test } from 'vitest';
import { approvalScopeOf } from './approval-scope.ts';

const container = (vmid: number) => ({ vmid, name: `c${vmid}`, node: 'pve', pool: null, tags: [] });
const call = {
  tool: 'proxmox_exec_in_containers',
  input: { command: 'true', tags: ['web'] },
  caller: 'local',
  host: 'pve',
  attributes: [container(101), container(102)],
  others: [103],
};
const scope = approvalScopeOf(call);

test.each([
  ['a container that needs approval is added', { attributes: [...call.attributes, container(104)] }],
  ['one is missing', { attributes: [container(101)] }],
  ['a container that needs no approval is added', { others: [103, 104] }],
  ['none needs no approval', { others: [] }],
])('binds an approval to the set of containers: %s', (_what, change) => {
  const other = approvalScopeOf({ ...call, ...change });
  expect(other.call).toBe(scope.call);
  expect(other.target).not.toBe(scope.target);
});

test('binds an approval to the command', () => {
  const other = approvalScopeOf({ ...call, input: { ...call.input, command: 'false' } });
  expect(other.call).not.toBe(scope.call);
  expect(other.target).toBe(scope.target);
});

test.each([
  [
    'a command changes',
    [
      { vmid: 101, command: 'a' },
      { vmid: 102, command: 'c' },
    ],
  ],
  [
    'two commands are swapped',
    [
      { vmid: 101, command: 'b' },
      { vmid: 102, command: 'a' },
    ],
  ],
  ['one is missing', [{ vmid: 101, command: 'a' }]],
  [
    'one is in another container',
    [
      { vmid: 101, command: 'a' },
      { vmid: 103, command: 'b' },
    ],
  ],
])('binds an approval to the command of each container: %s', (_what, commands) => {
  const of = (list: readonly object[]) => approvalScopeOf({ ...call, input: { commands: list } }).call;
  const asked = [
    { vmid: 101, command: 'a' },
    { vmid: 102, command: 'b' },
  ];
  expect(of(asked)).toBe(of([...asked]));
  expect(of(commands)).not.toBe(of(asked));
});

test('binds an approval to the nodes of PROXMOX_HOST, in any order', () => {
  const of = (host: string) => approvalScopeOf({ ...call, host });
  expect(of('pve1,pve2:2222')).toEqual(of('pve2:2222, pve1'));
  expect(of('pve1,pve2').call).not.toBe(of('pve1').call);
  expect(of('pve1,pve2').call).not.toBe(of('pve1,pve3').call);
});
