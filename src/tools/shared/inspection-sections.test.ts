import { describe, expect, test } from 'vitest';
import type { InspectedRow } from './inspection-output.ts';
import { sectionBlocks } from './inspection-sections.ts';

const NOW = '2026-05-14T03:20:11Z';

function row(vmid: number, more: Partial<InspectedRow>): InspectedRow {
  return { vmid, name: null, state: 'running', problems: [], incomplete: null, not_checked: [], ...more };
}

function rowsOf(...containers: InspectedRow[]): readonly string[] {
  return sectionBlocks(containers, { threshold: 85, now: NOW }).flatMap((block) =>
    block === null ? [] : block.rows.map((cells) => cells.join(' ').trim()),
  );
}

describe('the table of disks', () => {
  const mount = { path: '/', source: 'x', size_bytes: 1024, used_bytes: 512, inodes_percent: 5 };
  const deleted = [{ path: '/gone', bytes: 1024, pid: 7, process: 'perl' }];
  const gone = (vmid: number) => `${vmid} deleted but open 1.0 KB /gone perl (pid 7 on the node)`;

  test('has one row for files of one size in one directory', () => {
    const largest_files = [
      { path: '/var/a/part-1', bytes: 2048 },
      { path: '/var/b/part-1', bytes: 2048 },
      { path: '/var/a/part-2', bytes: 2048 },
      { path: '/var/a/part-3', bytes: 2048 },
      { path: '/var/a/other-1', bytes: 1024 },
      { path: '/var/a/other-2', bytes: 1024 },
    ];
    const largest_directories = [{ path: '/usr', bytes: 4096 }];
    const mounts = [{ ...mount, use_percent: 20 }];
    expect(rowsOf(row(101, { disk: { mounts, largest_directories, largest_files } }))).toEqual([
      '101 mount 20 % of 1.0 KB / inodes 5 %',
      '101 directory 4.0 KB /usr',
      '101 file 2.0 KB /var/a/part-1 and 2 more of this size in this directory',
      '101 file 2.0 KB /var/b/part-1',
      '101 file 1.0 KB /var/a/other-1 and at least 1 more of this size in this directory',
    ]);
  });

  test('without the largest files, has only the mounts from the threshold on', () => {
    const disk = (vmid: number, use_percent: number, inodes_percent: number | null = 5) =>
      row(vmid, { disk: { mounts: [{ ...mount, use_percent, inodes_percent }], deleted_open: deleted } });
    expect(rowsOf(disk(101, 84), disk(102, 85, null), disk(103, 20, 99))).toEqual([
      gone(101),
      '102 mount 85 % of 1.0 KB /',
      gone(102),
      '103 mount 20 % of 1.0 KB / inodes 99 %',
      gone(103),
    ]);
  });
});

describe('the table of ports', () => {
  const port = (protocol: string, address: string, number: number, process: string | null) => {
    return { protocol, address, port: number, process };
  };

  test('has one row for each process and protocol', () => {
    const ports = [
      port('tcp', '0.0.0.0', 80, 'nginx (7)'),
      port('tcp', '::', 80, 'nginx (7)'),
      port('udp', '0.0.0.0', 53, 'dnsmasq (9)'),
      port('tcp', '0.0.0.0', 53, 'dnsmasq (9)'),
    ];
    expect(rowsOf(row(101, { network: { addresses: [], ports } })).slice(1)).toEqual([
      '101 tcp 0.0.0.0:80 [::]:80 nginx (7)',
      '101 udp 0.0.0.0:53 dnsmasq (9)',
      '101 tcp 0.0.0.0:53 dnsmasq (9)',
    ]);
  });

  test('tells none from unknown', () => {
    const network = { addresses: [], ports: [] };
    const not_checked = [{ section: 'network', reason: 'no time' }] as const;
    expect(rowsOf(row(101, { network }))).toContain('101 ports none');
    expect(rowsOf(row(101, { network, not_checked: [...not_checked] }))).toContain('101 ports ?');
  });
});
