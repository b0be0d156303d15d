import { describe, expect, test } from 'vitest';
import {
  parseContainerReport,
  parseMounts,
  parseServices,
  parseSystem,
  parseUpdates,
} from './container-facts.ts';

const report = (parts: Readonly<Record<string, string>>) =>
  parseContainerReport(
    `W began\n${Object.entries(parts)
      .map(([name, text]) => `W part ${name}\n${text}\n`)
      .join('')}W ended\n`,
    'W',
  );

test('the parts of a report, and what precedes it', () => {
  const found = parseContainerReport(
    'lxc-attach: noise\nW began\nlost\nW part os\na\nX part no\nW part b\nW ended\n',
    'W',
  );
  expect(found).toMatchObject({ began: true, ended: true, before: 'lxc-attach: noise' });
  expect([...found.parts]).toEqual([
    ['os', 'a\nX part no\n'],
    ['b', ''],
  ]);
});

test('the name of the system', () => {
  const { parts } = report({
    os: 'ID=alpine\nVERSION_ID=3.22\nPRETTY_NAME="Alpine\tLinux"',
    zone: 'CET +0100',
  });
  expect(parseSystem(parts, 5)).toEqual({ os: 'Alpine<U+0009>Linux', uptime_s: 5, time_zone: 'CET +0100' });
  expect(parseSystem(report({ os: "ID='x'\nVERSION_ID=1" }).parts, null).os).toBe('x 1');
  expect(parseSystem(report({}).parts, null).os).toBe('unknown');
});

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
  const found = parseMounts(report({ inodes, mounts }).parts, 10);
  expect(found.map(({ path, use_percent, inodes_percent }) => [path, use_percent, inodes_percent])).toEqual([
    ['/', 96, 99],
    ['/mnt/a b  c', 10, null],
    ['/dev/shm', 0, null],
    ['/run', 0, null],
  ]);
  expect(found[0]).toMatchObject({ size_bytes: 8000 * 1024, used_bytes: 7680 * 1024 });
});

describe('services', () => {
  test('systemd: failed units, and those that restart', () => {
    const found = parseServices(
      report({
        'systemd-state': 'degraded',
        'systemd-failed':
          'nginx.service loaded failed failed A web server\n● a@b.service loaded failed failed x\njunk',
        'systemd-restarts':
          'Id=ok.service\nNRestarts=1\nSubState=running\n\nId=bad.service\nNRestarts=12\nSubState=running\n\nSubState=auto-restart\nId=x.service',
      }),
      10,
    );
    expect(found).toEqual({
      manager: 'systemd',
      failed: ['nginx.service', 'a@b.service'],
      restarting: ['bad.service (12 restarts)'],
    });
  });

  test('OpenRC, runit and s6', () => {
    expect(
      parseServices(report({ openrc: 'Runlevel: default\n sshd  [  started  ]\n app [  crashed  ]' }), 10),
    ).toEqual({
      manager: 'OpenRC',
      failed: ['app'],
      restarting: [],
    });
    const runit =
      'run: /var/service/a: (pid 9) 500s; run: log: (pid 8) 500s\ndown: /var/service/b: 1s, normally up, want up\nrun: /var/service/c: (pid 7) 1s\ndown: /var/service/d: 9s';
    expect(parseServices(report({ runit }), 10)).toEqual({
      manager: 'runit',
      failed: ['b'],
      restarting: ['c (just started)'],
    });
    const s6 = 'web: up (pid 33 pgid 33) 700 seconds\ndb: down (exitcode 1) 1 seconds, normally up, want up';
    expect(parseServices(report({ s6 }), 10)).toMatchObject({
      manager: 's6',
      failed: ['db'],
      restarting: [],
    });
    expect(parseServices(report({}), 10)).toEqual({ manager: 'none', failed: [], restarting: [] });
  });
});

describe('updates', () => {
  const updates = (parts: Readonly<Record<string, string>>) => parseUpdates(report(parts), [], 10);

  test('apt, with those of the security archive', () => {
    const apt =
      'Inst libssl3 [3.0.15] (3.0.16 Debian-Security:12/stable-security [amd64])\nInst vim (9.1 Debian:12/stable [amd64])\nConf vim';
    expect(updates({ apt, lists: '1778716800', restart: '' })).toEqual({
      manager: 'apt',
      pending: 2,
      security: 1,
      packages: ['libssl3 3.0.16', 'vim 9.1'],
      lists_time: '2026-05-14T00:00:00.000Z',
      restart_required: true,
      outdated_processes: [],
    });
  });

  test.each([
    ['apk', 'Installed:  Available:\nmusl-1.2.5-r0  < 1.2.5-r1 ', ['musl-1.2.5-r0']],
    [
      'dnf',
      '\nkernel.x86_64   6.1.2-1.fc40   updates\nObsoleting Packages\nold.x86_64 1-1 x',
      ['kernel.x86_64 6.1.2-1.fc40'],
    ],
    [
      'zypper',
      'S | Repository | Name | Current | Available | Arch\n--+--\nv | Main | vim | 9.0 | 9.1 | x86_64',
      ['vim 9.1'],
    ],
    ['pacman', 'linux 6.1-1 -> 6.2-1\nvim 9.0 -> 9.1 [ignored]', ['linux 6.2-1', 'vim 9.1']],
  ])('%s', (manager, text, packages) => {
    expect(updates({ [manager]: text })).toMatchObject({ manager, pending: packages.length, packages });
  });

  test('without a package manager are unknown', () => {
    expect(updates({})).toMatchObject({ manager: 'none', pending: null, lists_time: null });
    expect(updates({ apt: '', lists: '99999999999999999' })).toMatchObject({ pending: 0, lists_time: null });
  });
});
