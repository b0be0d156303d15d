import { describe, expect, test } from 'vitest';
import { largestDirectories, parseDeleted, parseDisk, parseMounts, parseUsage } from './disk-facts.ts';
import { RawFacts } from './node-report.ts';
import { reportOf } from './report-fixture.ts';

test('mounts of GNU and busybox, with blanks, each file system once', () => {
  const mounts = `Filesystem 1024-blocks Used Available Capacity Mounted on
/dev/mapper/pve-vm 8000 7680 320 96% /
/dev/mapper/pve-vm 8000 7680 320 96% /var/lib/docker
my share: 100 10 90 10% /mnt/a b  c
tmpfs 1000 0 1000 0% /dev/shm
tmpfs 1000 0 1000 0% /run
udev 5 0 5 0% /dev/null
none 0 0 0 - /sys
junk`;
  const inodes = `Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/mapper/pve-vm 100 99 1 99% /\nbtrfs 0 0 0 - /mnt/a b  c`;
  const found = parseMounts(reportOf({ inodes, mounts }), 10).facts ?? [];
  expect(found.map(({ path, use_percent, inodes_percent }) => [path, use_percent, inodes_percent])).toEqual([
    ['/', 96, 99],
    ['/mnt/a b  c', 10, null],
    ['/dev/shm', 0, null],
    ['/run', 0, null],
  ]);
  expect(found[0]).toMatchObject({ size_bytes: 8000 * 1024, used_bytes: 7680 * 1024 });
});

test('a mount without free inodes comes before fuller disks', () => {
  const mounts = 'a 100 90 10 90% /a\nb 100 10 90 10% /b';
  const inodes = 'a 100 1 99 1% /a\nb 100 100 0 100% /b';
  expect(parseMounts(reportOf({ inodes, mounts }), 1).facts?.map(({ path }) => path)).toEqual(['/b']);
});

test('the root is always among the mounts', () => {
  const mounts = 'a 100 90 10 90% /a\nb 100 80 20 80% /b\nc 100 10 90 10% /\nd 100 5 95 5% /d';
  expect(parseMounts(reportOf({ mounts }), 1).facts?.map(({ path }) => path)).toEqual(['/a', '/']);
});

const HANGS = 'df did not answer in time: one of its file systems may hang.';

test('packages of snapd, which are always full, are no mounts', () => {
  const mounts =
    '/dev/sda 100 90 10 90% /\n/dev/loop3 64 64 0 100% /snap/core22/1621\nx 9 9 0 100% /snapshots';
  expect(parseMounts(reportOf({ mounts }), 9).facts?.map(({ path }) => path)).toEqual(['/snapshots', '/']);
});

test('without an answer of df, mounts are unknown', () => {
  expect(parseMounts(reportOf({}), 10)).toEqual({ facts: null, notChecked: [HANGS] });
  const failed = parseMounts(reportOf({ mounts: '' }, { mounts: 127 }), 10);
  expect(failed).toEqual({ facts: null, notChecked: ['df failed with exit code 127'] });
  const cut = parseMounts(reportOf({ mounts: 'a 100 90 10 90% /a' }, { mounts: null }), 10);
  expect(cut).toMatchObject({ facts: [{ path: '/a' }], notChecked: [HANGS] });
  const root = parseMounts(reportOf({ root: 'a 100 90 10 90% /', inodes: '' }, { inodes: null }), 10);
  expect(root).toMatchObject({ facts: [{ path: '/', use_percent: 90 }], notChecked: [HANGS] });
});

test('lists of large and of deleted files that were not finished are reported as such', () => {
  const report = reportOf({ mounts: 'a 100 90 10 90% /' });
  const options = { diskUsage: true, mostRows: 5 };
  const raw = new RawFacts();
  for (const [name, text] of [
    ['directories-code', '0'],
    ['files-code', '1'],
    ['deleted-code', '0'],
    ['deleted', '. 100'],
    ['sizes-code', '0'],
    ['sizes', '. 100'],
  ] as const)
    raw.add(name, text);
  expect(parseDisk(raw, report, new Map(), options).notChecked).toEqual([]);
  raw.add('files-code', '137');
  const late = parseDisk(raw, report, new Map(), options);
  expect(late.notChecked).toEqual(['The search for the largest directories and files was ended after 6 s.']);
  expect(parseDisk(new RawFacts(), report, new Map(), options).notChecked).toHaveLength(2);
  raw.add('files-code', '0');
  const deletedOf = (last: readonly [string, string]) => {
    raw.add(...last);
    return parseDisk(raw, report, new Map(), options).notChecked;
  };
  const some = ['Not all deleted files that are open were found.'];
  expect(deletedOf(['sizes-code', '137'])).toEqual(some);
  expect(deletedOf(['sizes-code', '0'])).toEqual([]);
  expect(deletedOf(['sizes', Buffer.alloc(100).toString('base64')])).toEqual(some);
});

describe('the disk', () => {
  test('paths are those of the container', () => {
    expect(parseUsage('20480\t/proc/5/root/var/a b\nc\x0010240\t/proc/5/root/\x00junk\x00')).toEqual([
      { path: '/var/a b<U+000A>c', bytes: 20_971_520 },
      { path: '/', bytes: 10_485_760 },
    ]);
  });

  test('a directory is left out if one of its own explains it', () => {
    const entry = (path: string, bytes: number) => ({ path, bytes });
    const all = [
      entry('/', 200),
      entry('/var', 101),
      entry('/var/log', 100),
      entry('/srv', 60),
      entry('/srv/a', 30),
    ];
    expect(largestDirectories(all, 5).map(({ path }) => path)).toEqual(['/var/log', '/srv', '/srv/a']);
    expect(largestDirectories(all, 1).map(({ path }) => path)).toEqual(['/var/log']);
  });

  test('directories are the deepest ones that matter, without those of the system', () => {
    const GB = 1024 ** 3;
    const list = (...entries: [string, number][]) =>
      largestDirectories(
        entries.map(([path, gb]) => ({ path, bytes: gb * GB })),
        10,
      ).map(({ path }) => path);
    const used: [string, number][] = [
      ['/', 10],
      ['/var', 8],
      ['/var/lib', 7.5],
      ['/var/lib/x', 7],
      ['/usr', 1.5],
      ['/usr/lib', 1.2],
      ['/usr/lib/x86_64-linux-gnu', 1],
      ['/opt', 0.3],
    ];
    expect(list(...used)).toEqual(['/var/lib/x']);
    // Together, two directories explain the one above them; one of them alone does not.
    expect(list(['/', 10], ['/srv', 8], ['/srv/a', 4], ['/srv/b', 3.8])).toEqual(['/srv/a', '/srv/b']);
    expect(list(['/', 10], ['/srv', 8], ['/srv/a', 4], ['/srv/a/b', 3])).toEqual([
      '/srv',
      '/srv/a',
      '/srv/a/b',
    ]);
    const many = Array.from({ length: 30 }, (_, index): [string, number] => [`/data/${index}`, 0.3]);
    expect(list(['/', 10], ['/data', 9], ...many)).toEqual(['/data']);
    expect(list(['/', 9], ['/usr', 6], ['/usr/local', 5.5], ['/home', 2])).toEqual(['/usr/local', '/home']);
    expect(list(['/', 9], ['/usr', 6], ['/usr/lib', 5.5], ['/home', 2])).toEqual(['/usr/lib', '/home']);
    expect(list(['/', 1], ['/usr', 0.9], ['/usr/lib', 0.8])).toEqual(['/usr']);
    expect(list()).toEqual([]);
  });

  test('a deleted file is listed once, with its process and without the escapes of ls', () => {
    const links =
      '/proc/7/fd/3 -> /var/log/a\\ b\\n\\303\\244.log\\ (deleted)\n/proc/7/fd/4 -> /x -> /proc/1/fd/9 (deleted)\n/proc/8/fd/3 -> /var/log/other (deleted)\n';
    const sizes = '/proc/7/fd/3 500 8:1\n/proc/7/fd/4 900 8:2\n/proc/8/fd/3 500 8:1\n';
    expect(parseDeleted(links, sizes, new Map([[7, 'nginx']]), 5)).toEqual([
      { path: '/x -> /proc/1/fd/9', bytes: 900, pid: 7, process: 'nginx' },
      { path: '/var/log/a b<U+000A>ä.log', bytes: 500, pid: 7, process: 'nginx' },
    ]);
  });
});
