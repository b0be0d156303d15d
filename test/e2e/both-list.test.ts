import { afterEach, expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { failureOf, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

describeNode('list and status, on every node', [], (node) => {
  const { call } = useClient(node);
  afterEach(() => node.reset());
  const status = async (vmid: number) => (await call('container_status', { vmid })).data;

  test('the containers of all nodes, no machines, nothing of their snapshots', async () => {
    const { data } = await call('list_containers', {});
    expect(data.containers).toMatchObject([
      {
        vmid: 9101,
        status: 'running',
        name: 'debian',
        node: 'pve1',
        local: true,
        lock: null,
        tags: ['rig', 'web'],
      },
      { vmid: 9102, status: 'running', name: 'busybox' },
      { vmid: 9103, status: 'stopped', name: 'stopped' },
      { vmid: 9104, status: 'running', name: 'locked', lock: 'backup' },
      { vmid: 9105, name: 'elsewhere', node: 'pve2', local: false, tags: ['rig', 'remote'] },
    ]);
  });

  test('what changes is seen at once', async () => {
    await node.ensureStarted(CT.stopped);
    expect(await status(CT.stopped)).toMatchObject({ status: 'running', frozen: false });
    await node.setConf(CT.stopped, 'hostname: renamed\nlock: migrate\n');
    expect(await status(CT.stopped)).toMatchObject({ name: 'renamed', lock: 'migrate' });
  });

  test('a frozen container runs, and is said to be frozen', async () => {
    const undo = await node.freeze(CT.busybox);
    try {
      expect(await status(CT.busybox)).toMatchObject({ status: 'running', frozen: true });
    } finally {
      await undo();
    }
    expect(await status(CT.busybox)).toMatchObject({ frozen: false });
  });

  test('what is no container is told apart', async () => {
    expect(failureOf(await call('container_status', { vmid: CT.unknown })).code).toBe('CONTAINER_NOT_FOUND');
    expect(failureOf(await call('container_status', { vmid: 100 })).code).toBe('NOT_A_CONTAINER');
  });
});
