import { expect, test } from 'vitest';
import { parseHaState } from './ha-state.ts';

const RESOURCES = `ct: 101
\tstate started
\tmax_restart 2

ct: 102
\tcomment no state means started

ct: 103
\tstate ignored

vm: 104
\tstate started
`;
const STATUS = JSON.stringify({
  master_node: 'pve1',
  node_status: { pve1: 'online', pve2: 'maintenance' },
  service_status: { 'ct:101': { node: 'pve1', state: 'error', uid: 'x' } },
});
const VMLIST = JSON.stringify({ ids: { 101: { node: 'pve2', type: 'lxc', version: 3 } } });

test.each([
  [101, true],
  [102, true],
  [103, false],
  [104, false],
  [10, false],
  [1011, false],
])('reports container %i as managed: %s', (vmid, managed) => {
  expect(parseHaState(vmid, { resources: RESOURCES, status: '', vmlist: '' }).managed).toBe(managed);
});

test('reads service state, node and nodes in maintenance', () => {
  const state = parseHaState(101, { resources: RESOURCES, status: `${STATUS}\0`, vmlist: VMLIST });
  expect(state).toEqual({ managed: true, service: 'error', node: 'pve2', maintenance: ['pve2'] });
});

test('reports nothing for missing or broken files', () => {
  for (const status of ['', '{', 'null', '[]', '{"service_status": 3}']) {
    const state = parseHaState(101, { resources: '', status, vmlist: '{' });
    expect(state).toEqual({ managed: false, service: null, node: null, maintenance: [] });
  }
});
