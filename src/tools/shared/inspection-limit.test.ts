import { describe, expect, test } from 'vitest';
import { fitInspection, leftOutOf } from './inspection-limit.ts';
import type { InspectedRow, InspectionData } from './inspection-output.ts';

const mount = (index: number) => ({
  path: `/mnt/${index}`,
  source: '/dev/mapper/pve-vm',
  size_bytes: 1_000_000_000,
  used_bytes: 500_000_000,
  use_percent: 50,
  inodes_percent: 1,
});
const row = (vmid: number, problems: readonly string[] = []): InspectedRow => ({
  vmid,
  name: `ct${vmid}`,
  state: 'running',
  problems: [...problems],
  incomplete: null,
  not_checked: [],
  disk: { mounts: Array.from({ length: 10 }, (_, index) => mount(index)) },
  logs: { source: 'journal', lines: Array.from({ length: 20 }, (_, index) => `error ${index}`) },
});
const dataOf = (containers: InspectedRow[]): InspectionData => ({
  time: '2026-05-14T03:20:11Z',
  clocks: [],
  containers,
  skipped: [],
  survivors: [],
});
const many = (count: number, troubled: readonly number[] = []) =>
  dataOf(
    Array.from({ length: count }, (_, index) =>
      row(1000 + index, troubled.includes(index) ? ['disk / 97 % full'] : []),
    ),
  );
const lengthOf = (data: InspectionData) => JSON.stringify(data).length;

describe('the data of an inspection', () => {
  test('is unchanged if it fits', () => {
    const data = many(10, [3]);
    expect(fitInspection(data, lengthOf(data))).toBe(data);
  });

  test('keeps the details of containers with problems, and a row for each of 200', () => {
    const fitted = fitInspection(many(200, [7, 150]), 40_000);
    expect(lengthOf(fitted)).toBeLessThanOrEqual(40_000);
    expect(fitted.containers).toHaveLength(200);
    for (const index of [7, 150])
      expect(fitted.containers[index]).toEqual(row(1000 + index, ['disk / 97 % full']));
    expect(fitted.containers[0]).not.toHaveProperty('disk');
    expect(fitted.containers[0]?.left_out).toEqual(['disk', 'logs']);
    expect(leftOutOf(fitted)).toEqual({ short: 198, missing: 0 });
  });

  test('shortens lists to a fair share, keeps the newest log lines, and says which sections', () => {
    const fitted = fitInspection(many(10), 8_000);
    expect(lengthOf(fitted)).toBeLessThanOrEqual(8_000);
    for (const each of fitted.containers) {
      expect(each.disk?.mounts).toHaveLength(2);
      expect(each.logs?.lines).toEqual(['error 18', 'error 19']);
      expect(each.left_out).toEqual(['disk', 'logs']);
    }
  });

  test('lists the VMIDs of containers without problems whose rows do not fit', () => {
    const fitted = fitInspection(many(1000, [999]), 25_000);
    expect(lengthOf(fitted)).toBeLessThanOrEqual(25_000);
    const shown = fitted.containers.map(({ vmid }) => vmid);
    expect(shown).toContain(1999);
    expect([...shown, ...(fitted.left_out ?? [])].sort()).toEqual(
      many(1000).containers.map(({ vmid }) => vmid),
    );
    expect(leftOutOf(fitted).missing).toBe(1000 - shown.length);
  });
});
