import { describe, expect, test } from 'vitest';
import { HOMELAB } from './homelab.ts';
import { readScenario } from './scenario.ts';
import { Simulator } from './simulator.ts';

describe('scenario', () => {
  test('the default scenario is complete', () => {
    const { nodes, cluster } = readScenario(HOMELAB);
    expect(cluster).toBe('homelab');
    const containers = Object.values(nodes.pve1?.containers ?? {});
    expect(containers.map(({ name }) => name)).toEqual(['web', 'db', 'pihole', 'backup-target', 'media']);
    expect(containers.map(({ flavour }) => flavour)).toContain('alpine');
    expect(containers.some(({ running }) => !running)).toBe(true);
    expect(containers.some(({ lock }) => lock === 'backup')).toBe(true);
  });

  test('accepts sizes with units', () => {
    const { nodes } = readScenario(
      `nodes: { n: { containers: { 100: { name: a, memory: 1.5G, disk: { size: 512M } } } } }`,
    );
    expect(nodes.n?.containers[100]).toMatchObject({
      memory: 1.5 * 1024 ** 3,
      disk: { size: 512 * 1024 ** 2 },
    });
  });

  test('names the position of an error', () => {
    expect(() =>
      readScenario('nodes: { n: { containers: { 100: { name: a, flavour: windows } } } }'),
    ).toThrow(/nodes\.n\.containers\.100\.flavour/);
    expect(() => readScenario('nodes: { n: { conainers: {} } }')).toThrow('conainers');
  });

  test('creates files, owners and configuration as described', async () => {
    const simulator = await Simulator.start({
      scenario: {
        nodes: {
          n: {
            containers: {
              100: {
                name: 'a',
                tags: ['x', 'y'],
                description: 'two\nlines',
                files: { '/srv/secret': { content: 's', mode: '640', owner: '33:33' } },
                snapshots: { before: { time: 1_700_000_000 } },
              },
            },
          },
        },
      },
    });
    const container = simulator.container(100);
    expect(container.file('/srv/secret')).toBe('s');
    expect(container.files.get('/srv/secret')).toMatchObject({ mode: 0o640, uid: 33, gid: 33 });
    expect(container.config).toMatch(
      /^#two\n#lines\n[\s\S]*hostname: a\n[\s\S]*tags: x;y\n[\s\S]*\n\[before\]\n/,
    );
    expect(simulator.node().file('/etc/pve/lxc/100.conf')).toBe(container.config);
    await simulator.stop();
  });
});
