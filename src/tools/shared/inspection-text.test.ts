import { expect, test } from 'vitest';
import type { Section } from '../../proxmox/inspect/inspect-types.ts';
import type { InspectedRow } from './inspection-output.ts';
import { inspectionText } from './inspection-text.ts';

const row = (vmid: number, more: Partial<InspectedRow> = {}): InspectedRow => {
  return {
    vmid,
    name: `ct${vmid}`,
    state: 'running',
    problems: [],
    incomplete: null,
    not_checked: [],
    ...more,
  };
};

function textOf(sections: readonly Section[], ...containers: InspectedRow[]): string {
  const data = { time: '2026-05-14T03:20:11Z', clocks: [], containers, skipped: [], survivors: [] };
  return inspectionText(data, { sections, threshold: 85, limit: 10_000 });
}

test('says once that a container is frozen, and what is unknown because of that', () => {
  const incomplete = 'It is frozen: nothing runs in it.';
  const unread = (['system', 'disk'] as const).map((section) => ({ section, reason: incomplete }));
  const frozen = { state: 'frozen', problems: ['frozen'], incomplete };
  const text = textOf(['system', 'disk'], row(101, { ...frozen, not_checked: unread }));
  expect(text.match(/frozen.*/g)).toEqual(['frozen (not read: system, disk)']);
  expect(text).not.toContain('NOT CHECKED');
  const more = [...unread, { section: 'disk' as const, reason: 'The search was ended.' }];
  const other = textOf(['disk'], row(101, { ...frozen, not_checked: more }));
  expect(other).toContain('1 with unknown values (NOT CHECKED)');
  expect(other).toMatch(/^NOT CHECKED\nVMID +SECTION +WHY\n101 +disk +The search was ended\.$/m);
});

test('an unknown reason of a container that is not frozen is listed', () => {
  const reason = 'It did not answer in time.';
  const text = textOf(
    ['system'],
    row(101, { incomplete: reason, not_checked: [{ section: 'system', reason }] }),
  );
  expect(text).toMatch(/^101 +system +It did not answer in time\.$/m);
});

test('shortens the addresses of several containers, but not of one', () => {
  const addresses = ['10.0.0.5/24 eth0', '172.17.0.1/16 docker0', '172.18.0.1/16 br-1', 'fd00::5/64 eth0'];
  const network = { addresses, ports: [] };
  const several = textOf(['network'], row(101, { network }), row(102, { network }));
  expect(several).toMatch(/^101 +addresses +10\.0\.0\.5 eth0, 172\.17\.0\.1 docker0 and 2 more *$/m);
  expect(textOf(['network'], row(101, { network }))).toContain(addresses.join(', '));
  const not_checked = [{ section: 'network' as const, reason: 'no time' }];
  const unknown = textOf(['network'], row(101, { network: { addresses: [], ports: [] }, not_checked }));
  expect(unknown).toMatch(/^101 +addresses +\?/m);
});

test('names another call for the largest files only if none are shown', () => {
  const mount = { path: '/', source: 'x', size_bytes: 1024, inodes_percent: 5, used_bytes: 512 };
  const full = { mounts: [{ ...mount, use_percent: 97 }], largest_directories: [], largest_files: [] };
  const deleted_open = [{ path: '/gone', bytes: 1024, pid: 7, process: 'perl' }];
  const other = { mounts: [{ ...mount, use_percent: 20 }], deleted_open };
  const title = (...disks: InspectedRow['disk'][]) =>
    /^DISK .*/m.exec(textOf(['disk'], ...disks.map((disk, index) => row(101 + index, { disk }))))?.[0];
  expect(title(full, other)).toBe('DISK (from 85 % on)');
  expect(title(other, other)).toBe('DISK (from 85 % on; select a container for its largest files)');
});

test('lists the use of memory, the most first, with the processes', () => {
  const memory = (used_bytes: number, process: string) => ({
    used_bytes,
    limit_bytes: 4096,
    swap_bytes: null,
    oom_kills: 0,
    top_processes: [{ pid: 7, process, bytes: used_bytes / 2 }],
  });
  const text = textOf(
    ['memory'],
    row(101, { memory: memory(1024, 'sh') }),
    row(102, { memory: memory(4096, 'mysqld') }),
  );
  const [, ...rows] = text.slice(text.indexOf('\nMEMORY ')).trim().split('\n');
  expect(rows.map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
    'VMID | USED | SWAP | OOM KILLS | TOP PROCESSES (PID ON THE NODE)',
    '102 | 4.0 KB | ? | 0 | mysqld 2.0 KB (7)',
    '101 | 1.0 KB | ? | 0 | sh 512 bytes (7)',
  ]);
});

test('says that the memory of processes includes shared pages', () => {
  const processes = {
    count: 1,
    top_cpu: [],
    top_memory: [{ pid: 7, command: 'x', cpu_percent: 0, memory_bytes: 1024 }],
  };
  expect(textOf(['processes'], row(101, { processes }))).toContain(
    '\n\nPROCESSES (memory includes shared and cached pages)\nVMID',
  );
});

test('names no service manager and no package manager as such', () => {
  const services = { manager: 'none', failed: [], restarting: [] };
  const updates = {
    manager: 'none',
    pending: null,
    security: null,
    packages: [],
    lists_time: null,
    restart_required: null,
    outdated_processes: [],
  };
  const text = textOf(['services', 'updates'], row(101, { services, updates }));
  expect(text).toMatch(/^101 +ct101 +no known manager +no known manager +-$/m);
});
