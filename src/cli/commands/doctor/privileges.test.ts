import { describe, expect, test } from 'vitest';
import { AppError } from '../../../lib/errors.ts';
import { judgeAttach, judgeRights } from './privileges.ts';
import { type Probe, parseProbe } from './probe.ts';

const PATHS = { sudo: '/usr/bin/sudo', pct: '/usr/sbin/pct', 'lxc-attach': '/usr/bin/lxc-attach' };

function probe(uid: number, paths: Partial<typeof PATHS> = PATHS): Probe {
  return {
    uid,
    user: uid === 0 ? 'root' : 'ops',
    os: '',
    version: '9.1',
    paths: new Map(Object.entries(paths)),
  };
}
const { sudo: _, ...WITHOUT_SUDO } = PATHS;
const REFUSED = new AppError('PERMISSION_DENIED', 'refused', 'allow it', {
  stderr: 'sudo: unable to resolve host pve\nsudo: a password is required',
});
const NO_SHELL = new AppError('SSH_NO_SESSION', 'another program ran', 'look');

describe('judgeRights', () => {
  test.each([
    ['root', probe(0), false, undefined, 'ok', /^root$/],
    ['root with SUDO', probe(0), true, undefined, 'ok', /not needed/],
    [
      'root with SUDO on a node without sudo',
      probe(0, WITHOUT_SUDO),
      true,
      undefined,
      'fail',
      /sudo is not installed/,
    ],
    ['another user', probe(1000), false, undefined, 'fail', /not root, and SUDO=false/],
    [
      'SUDO on a node without sudo',
      probe(1000, WITHOUT_SUDO),
      true,
      undefined,
      'fail',
      /sudo is not installed/,
    ],
    ['SUDO with the sudo rule', probe(1000), true, undefined, 'ok', /by sudo$/],
    ['SUDO, refused by sudo', probe(1000), true, REFUSED, 'fail', /a password is required/],
    ['SUDO without a responding shell', probe(1000), true, NO_SHELL, 'fail', /another program/],
  ] as const)('%s', (_name, found, sudo, refused, verdict, detail) => {
    const judged = judgeRights(found, { sudo }, refused);
    expect(judged).toMatchObject({ verdict, detail: expect.stringMatching(detail) });
    expect(judged.value === undefined).toBe(verdict === 'fail');
  });

  test('suggests a sudo rule that allows one program', () => {
    const { remedy } = judgeRights(probe(1000), { sudo: true }, REFUSED);
    expect(remedy).toContain("echo 'ops ALL=(root) NOPASSWD: /bin/sh' > /etc/sudoers.d/proxmox-mcp");
  });
});

test('judgeAttach accepts lxc-attach only', () => {
  expect(judgeAttach(probe(0))).toMatchObject({ verdict: 'ok', detail: 'lxc-attach' });
  expect(judgeAttach(probe(0, {}))).toMatchObject({ verdict: 'fail' });
});

describe('parseProbe', () => {
  test('parses the items of the probe', () => {
    const items = [
      ['uid', '0'],
      ['user', 'root'],
      ['os', 'Debian GNU/Linux 12'],
      ['path:pct', '/usr/sbin/pct'],
      ['version', 'pve-manager/8.2.4/abc (x)'],
    ] as const;
    expect(parseProbe(items)).toEqual({
      uid: 0,
      user: 'root',
      os: 'Debian GNU/Linux 12',
      version: '8.2.4',
      paths: new Map([['pct', '/usr/sbin/pct']]),
    });
  });

  test('returns undefined without a user ID', () => {
    expect(parseProbe([])).toBeUndefined();
    expect(parseProbe([['uid', 'x']])).toBeUndefined();
  });
});
