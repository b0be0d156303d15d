import { describe, expect, test } from 'vitest';
import {
  parseHa,
  parseNodeState,
  parsePublishedStates,
  parseStorageTypes,
  parseStorageUse,
} from './parse-status.ts';

const output = (sections: Record<string, string>, items: [string, string][]) => ({
  items,
  bytes: new Map<string, Buffer>(),
  sections: new Map(Object.entries(sections)),
});

test('reads how a node is', () => {
  const state = parseNodeState(
    output(
      {
        load: '3600.51 7000.2\n0.31 0.28 0.25 1/612 4711\n',
        memory: 'MemTotal:       1000 kB\nMemAvailable:    400 kB\n',
        unix: '@/var/lib/lxc/101/command\n',
      },
      [
        ['kernel', '6.17.4-1-pve'],
        ['version', '9.1.2'],
        ['cpus', '4'],
      ],
    ),
  );
  expect(state).toEqual({
    version: '9.1.2',
    kernel: '6.17.4-1-pve',
    cpus: 4,
    uptimeS: 3600.51,
    load: 0.31,
    memory: 1_024_000,
    memoryUsed: 614_400,
    running: new Set([101]),
  });
});

test('reads what is missing as unknown', () => {
  expect(parseNodeState(output({}, []))).toMatchObject({
    version: null,
    cpus: null,
    load: null,
    memoryUsed: null,
  });
});

test('reads the use of storages of PVE 8 and 9, and ignores what is undefined', () => {
  const rrd =
    'pve-storage-9.0/pve1/local:1700000000:100:40\npve2.3-storage/pve2/nfs-1:17:8:2\npve-storage-9.0/pve1/off:17:U:U\n\0';
  expect(parseStorageUse(rrd)).toEqual([
    { node: 'pve1', storage: 'local', total: 100, used: 40 },
    { node: 'pve2', storage: 'nfs-1', total: 8, used: 2 },
  ]);
});

test('reads the types of storages', () => {
  expect([
    ...parseStorageTypes(
      'dir: local\n\tpath /var/lib/vz\n\tcontent iso\n\nzfspool: local-zfs\n\tpool rpool\n',
    ),
  ]).toEqual([
    ['local', 'dir'],
    ['local-zfs', 'zfspool'],
  ]);
});

test('reads which guests run', () => {
  const rrd = 'pve-vm-9.0/100:1:vm:running:0:1:2\npve-vm-9.0/101:0:ct:stopped:0:1:2\npve-node-9.0/pve1:1:2\n';
  expect([...parsePublishedStates(rrd)]).toEqual([
    [100, true],
    [101, false],
  ]);
});

describe('HA', () => {
  test('manages nothing without resources', () => {
    expect(parseHa('', '{"master_node":"pve1"}')).toBeNull();
  });
  test('is read from the file of its manager', () => {
    const manager =
      '{"master_node":"pve1","node_status":{"pve1":"online"},"service_status":{"ct:101":{"state":"error"}}}\0';
    expect(parseHa('ct: 101\n', manager)).toEqual({
      master: 'pve1',
      nodes: new Map([['pve1', 'online']]),
      services: new Map([['ct:101', 'error']]),
    });
  });
  test.each(['', '{', '[]', '"x"'])('is unknown where that file is %j', (manager) => {
    expect(parseHa('ct: 101\n', manager)).toMatchObject({ master: null });
  });
});
