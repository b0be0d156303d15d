import { describe, expect, test } from 'vitest';
import { judgeEntry, judgeRights } from './privileges.ts';
import { type Probe, parseProbe, parseSudo } from './probe.ts';

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
const FULL = ['lxc-attach', 'lxc-info', 'lxc-stop', 'pct', 'sh'];

describe('rights', () => {
  test.each([
    ['root', probe(0), false, [], 'ok', /^root$/],
    ['root with SUDO', probe(0), true, [], 'ok', /not needed/],
    ['root with SUDO on a node without sudo', probe(0, WITHOUT_SUDO), true, [], 'fail', /no sudo, and root/],
    ['another user', probe(1000), false, [], 'fail', /not root, and SUDO is false/],
    ['SUDO on a node without sudo', probe(1000, WITHOUT_SUDO), true, [], 'fail', /node has no sudo/],
    ['SUDO with every rule', probe(1000), true, FULL, 'ok', /by sudo$/],
    ['SUDO with pct alone', probe(1000), true, ['pct'], 'warn', /only pct/],
    ['SUDO without lxc-info', probe(1000), true, ['lxc-attach', 'lxc-stop', 'pct', 'sh'], 'warn', /lxc-info/],
    ['SUDO without a rule', probe(1000), true, [], 'fail', /nothing of what is needed/],
  ] as const)('%s', (_name, found, sudo, allowed, verdict, detail) => {
    const judged = judgeRights(found, { sudo, enableHostExec: false }, new Set(allowed));
    expect(judged).toMatchObject({ verdict, detail: expect.stringMatching(detail) });
    expect(judged.value === undefined).toBe(verdict === 'fail');
  });

  test('host tools need env as well', () => {
    const judged = judgeRights(probe(1000), { sudo: true, enableHostExec: true }, new Set(FULL));
    expect(judged).toMatchObject({ verdict: 'warn', detail: expect.stringContaining('env') });
  });
});

describe('way in', () => {
  const all = { lxcAttach: true, pct: true, scripts: true };
  const pctOnly = { lxcAttach: false, pct: true, scripts: false };
  test.each([
    ['auto', all, 'ok', 'lxc-attach'],
    ['lxc-attach', all, 'ok', 'lxc-attach'],
    ['pct', all, 'warn', 'pct'],
    ['auto', pctOnly, 'warn', 'pct'],
    ['pct', pctOnly, 'ok', 'pct'],
    ['lxc-attach', pctOnly, 'fail', undefined],
  ] as const)('EXEC_METHOD=%s with %o: %s', (method, rights, verdict, value) => {
    const judged = judgeEntry(method, rights, probe(1000));
    expect(judged.verdict).toBe(verdict);
    expect(judged.value).toBe(value);
  });
});

describe('what the node answers', () => {
  test('start files of the shell may write before it', () => {
    const text =
      'Welcome!\nN\nuid 0\nuser root\nos Debian\npath:pct /usr/sbin/pct\nversion pve-manager/8.2.4/abc (x)\nend\n';
    expect(parseProbe(text, 'N')).toEqual({
      uid: 0,
      user: 'root',
      os: 'Debian',
      version: '8.2.4',
      paths: new Map([['pct', '/usr/sbin/pct']]),
    });
    expect(parseSudo('N\nmay pct\nend\n', 'N')).toEqual(new Set(['pct']));
  });

  test('an answer that is cut off is none', () => {
    expect(parseProbe('N\nuid 0\nuser root\n', 'N')).toBeUndefined();
    expect(parseProbe('This account is not available.\n', 'N')).toBeUndefined();
    expect(parseSudo('N\nmay pct\n', 'N')).toBeUndefined();
  });
});
