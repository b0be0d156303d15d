import { afterEach, expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

describeNode('inspect', [], (node) => {
  const { call } = useClient(node, { POLICY: 'open' });
  afterEach(() => node.reset());

  test('try', async () => {
    const all = await call('inspect_containers', {});
    console.log(all.text);
    const t = performance.now();
    const more = await call('inspect_containers', {
      vmids: [CT.debian, CT.busybox],
      sections: ['system', 'memory', 'disk', 'network', 'services', 'processes', 'updates', 'logs'],
    });
    console.log(performance.now() - t, more.text);
    console.log(JSON.stringify(more.data, null, 1).slice(0, 6000));
    expect(1).toBe(1);
  }, 60_000);
});
