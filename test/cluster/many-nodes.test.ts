import { expect, onTestFinished, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { enterBy } from './cluster-client.ts';

const NODES = 13;

test('a call on more than ten nodes prints no warning about a memory leak', async () => {
  const nodes = Array.from({ length: NODES }, (_, index) => {
    const containers = { [200 + index]: { name: `ct${index}`, flavour: 'alpine' as const } };
    return [`pve${index + 1}`, { containers }] as const;
  });
  const simulator = await Simulator.start({
    scenario: { cluster: 'many', nodes: Object.fromEntries(nodes) },
  });
  onTestFinished(() => simulator.stop());
  const { client, call } = await enterBy(simulator, ['pve1']);
  expect((await call('list_containers', {})).data.containers).toHaveLength(NODES);
  const result = await call('exec_in_containers', { name: '*', command: 'hostname' });
  expect(result.data, result.text).toMatchObject({ success: true });
  expect(client.stderr()).not.toMatch(/MaxListeners|memory leak/);
});
