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
  const disk = (vmid: number, percent: number, inodes: number | null = 5) =>
    row(vmid, {
      disk: {
        mounts: [
          {
            path: '/',
            source: 'x',
            size_bytes: 1024,
            used_bytes: 512,
            use_percent: percent,
            inodes_percent: inodes,
          },
        ],
        largest_directories: [{ path: '/usr', bytes: 2048 }],
        largest_files: [{ path: `/var/${vmid}`, bytes: 1024 }],
        deleted_open: [{ path: '/gone', bytes: 1024, pid: 7, process: 'perl' }],
      },
    });
  const gone = (vmid: number) => `${vmid} deleted but open 1.0 KB /gone perl (pid 7 on the node)`;

  test('contains the largest files of a single container', () => {
    expect(rowsOf(disk(101, 20))).toEqual([
      '101 mount 20 % of 1.0 KB / inodes 5 %',
      '101 directory 2.0 KB /usr',
      '101 file 1.0 KB /var/101',
      gone(101),
    ]);
  });

  test('contains those of several containers only from the threshold on', () => {
    const rows = rowsOf(disk(101, 84), disk(102, 85), disk(103, 20, 99));
    expect(rows.filter((each) => / file /.test(each))).toEqual([
      '102 file 1.0 KB /var/102',
      '103 file 1.0 KB /var/103',
    ]);
    expect(rows.filter((each) => each.startsWith('101'))).toEqual([gone(101)]);
  });
});

test('the table of addresses has link-local addresses only if there are no others', () => {
  const network = (...addresses: string[]) => row(101, { network: { addresses, ports: [] } });
  expect(rowsOf(network('fe80::1/64 eth0', '192.0.2.1/24 eth0', '2001:db8::1/64 eth0'))).toEqual([
    '101 addresses 192.0.2.1/24 eth0, 2001:db8::1/64 eth0',
  ]);
  expect(rowsOf(network('fe80::1/64 eth0'))).toEqual(['101 addresses fe80::1/64 eth0']);
});
