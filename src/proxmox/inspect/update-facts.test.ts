import { describe, expect, test } from 'vitest';
import { parseContainerReport } from './container-report.ts';
import { reportOf } from './report-fixture.ts';
import { parseUpdates } from './update-facts.ts';

const LISTS = '1778716800';
const updates = (
  parts: Readonly<Record<string, string>>,
  codes: Readonly<Record<string, number | null>> = {},
  outdated: readonly string[] | null = [],
) => parseUpdates(reportOf({ lists: LISTS, ...parts }, codes), outdated, 10);

test('apt, with those of the security archive', () => {
  const apt =
    'Inst libssl3 [3.0.15] (3.0.16 Debian-Security:12/stable-security [amd64])\nInst vim (9.1 Debian:12/stable [amd64])\nConf vim';
  expect(updates({ apt, restart: '' })).toEqual({
    facts: {
      manager: 'apt',
      pending: 2,
      security: 1,
      packages: ['libssl3 3.0.16', 'vim 9.1'],
      lists_time: '2026-05-14T00:00:00.000Z',
      restart_required: true,
      outdated_processes: [],
    },
    notChecked: [],
  });
});

test.each([
  ['apk', 'Installed:  Available:\nmusl-1.2.5-r0  < 1.2.5-r1 ', ['musl-1.2.5-r0'], 0],
  [
    'dnf',
    "Unable to detect release version (use '--releasever' to specify release version)\n\nalpha.noarch                             2.0-1                             local\nObsoleting Packages\nold.x86_64 1-1 x",
    ['alpha.noarch 2.0-1'],
    100,
  ],
  [
    'zypper',
    'S | Repository | Name  | Current Version | Available Version | Arch\n--+------------+-------+-----------------+-------------------+-------\nv | Local      | alpha | 1.0-1           | 2.0-1             | noarch',
    ['alpha 2.0-1'],
    0,
  ],
  ['pacman', 'linux 6.1-1 -> 6.2-1\nvim 9.0 -> 9.1 [ignored]', ['linux 6.2-1', 'vim 9.1'], 0],
] as const)('%s: pending updates, and none', (manager, text, packages, code) => {
  const found = updates({ [manager]: text }, { [manager]: code });
  expect(found.facts).toMatchObject({ manager, pending: packages.length, packages });
  const none = updates({ [manager]: '' }, { [manager]: manager === 'pacman' ? 1 : 0 });
  expect(none).toMatchObject({ facts: { manager, pending: 0, security: null }, notChecked: [] });
});

test('dnf: advisories count as security updates', () => {
  const parts = {
    dnf: 'alpha.noarch 2.0-1 local',
    'dnf-security': 'TEST-2026-1 Important/Sec. alpha-2.0-1.noarch',
  };
  expect(updates(parts, { dnf: 100 }).facts).toMatchObject({ pending: 1, security: 1 });
  const failed = updates(parts, { dnf: 100, 'dnf-security': 1 });
  expect(failed).toMatchObject({
    facts: { pending: 1, security: null },
    notChecked: [expect.stringMatching(/^dnf failed/)],
  });
});

describe('updates are unknown, not 0,', () => {
  test.each([
    ['apt', 'E: Unmet dependencies.', 100, 'Unmet dependencies'],
    ['apt', '', null, 'did not answer in time'],
    ['apk', 'ERROR: Unable to lock database', 1, 'Unable to lock database'],
    ['dnf', '', 97, 'no private /var/log'],
    [
      'dnf',
      "[Errno 30] Read-only file system: '/var/cache/dnf/metadata_lock.pid'",
      1,
      'Read-only file system',
    ],
    ['zypper', 'System management is locked by the application with pid 98 (sleep).', 7, 'is locked'],
    [
      'zypper',
      'Some of the repositories have not been refreshed because of an error.',
      106,
      'not been refreshed',
    ],
    ['pacman', 'error: config file /etc/pacman.conf, line 1: bad', 1, 'config file'],
    [
      'pacman',
      "warning: database file for 'extra' does not exist (use '-Sy' to download)",
      1,
      "'extra' does not exist",
    ],
  ])('if %s prints %j and exits with %s', (manager, text, code, reason) => {
    expect(updates({ [manager]: text }, { [manager]: code })).toMatchObject({
      facts: { manager, pending: null, security: null, packages: [] },
      notChecked: [expect.stringContaining(reason)],
    });
  });

  test('without package lists', () => {
    expect(updates({ apt: '', lists: '' })).toMatchObject({
      facts: { manager: 'apt', pending: null, lists_time: null },
      notChecked: [expect.stringContaining('no package lists')],
    });
  });

  test('without a known package manager, which is a fact if all of them were looked for', () => {
    expect(updates({})).toMatchObject({
      facts: { manager: 'none', pending: null, restart_required: null },
      notChecked: [],
    });
    const cut = parseContainerReport('W began\nW done system\n', 'W');
    expect(parseUpdates(cut, null, 9)).toEqual({ facts: null, notChecked: [] });
  });
});

test('the age of lists may be unknown, and so may outdated processes and a restart', () => {
  expect(updates({ apt: '', lists: '99999999999999999' }).facts).toMatchObject({
    pending: 0,
    lists_time: null,
  });
  expect(updates({ apk: '', lists: 'unknown' }, {}, null).facts).toMatchObject({
    pending: 0,
    lists_time: null,
    restart_required: null,
    outdated_processes: null,
  });
});
