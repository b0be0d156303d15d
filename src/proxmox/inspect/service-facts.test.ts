import { describe, expect, test } from 'vitest';
import { parseContainerReport } from './container-report.ts';
import { reportOf } from './report-fixture.ts';
import { parseServices } from './service-facts.ts';

const services = (
  parts: Readonly<Record<string, string>>,
  codes: Readonly<Record<string, number | null>> = {},
) => parseServices(reportOf(parts, codes), 10);

describe('systemd', () => {
  // systemd 252 prints the properties in this order, whatever the order of -p.
  const restarts =
    'NRestarts=1\nId=ok.service\nSubState=running\n\nNRestarts=12\nId=bad.service\nSubState=running\n\nNRestarts=0\nId=x.service\nSubState=auto-restart\n';

  test('failed units, and those that restart', () => {
    const failed =
      'nginx.service loaded failed failed A web server\n● a@b.service loaded failed failed x\njunk';
    expect(services({ 'systemd-failed': failed, 'systemd-restarts': restarts })).toEqual({
      facts: {
        manager: 'systemd',
        failed: ['nginx.service', 'a@b.service'],
        restarting: ['bad.service (12 restarts)', 'x.service (0 restarts)'],
      },
      notChecked: [],
    });
  });

  test('without its bus, services are unknown', () => {
    const failed = 'Failed to connect to bus: No such file or directory';
    expect(services({ 'systemd-failed': failed, 'systemd-restarts': '' }, { 'systemd-failed': 1 })).toEqual({
      facts: null,
      notChecked: [`systemctl failed with exit code 1: ${failed}`],
    });
  });

  test('without an answer, services are unknown', () => {
    const found = services({ 'systemd-failed': '' }, { 'systemd-failed': null });
    expect(found).toEqual({ facts: null, notChecked: ['systemctl did not answer in time.'] });
  });

  test('restarts that were not read are reported as such', () => {
    const found = services({ 'systemd-failed': '', 'systemd-restarts': '' }, { 'systemd-restarts': null });
    expect(found).toMatchObject({
      facts: { failed: [] },
      notChecked: ['systemctl show did not answer in time.'],
    });
  });
});

test('OpenRC: crashed and failed services, those of the default runlevel that are stopped, and those that restart', () => {
  const openrc = `Runlevel: off
 savecache                                                         [  stopped  ]
Runlevel: default
 broken                                                            [  stopped  ]
 web                                                               [  crashed  ]
 super                                                 [  started 00:00:07 (0) ]
 looping                                          [  started 1 day(s) 00:00:07 (9) ]
 supercrash                                                           [ failed ]
Runlevel: sysinit
 hwclock.sh                                                        [  stopped  ]
Dynamic Runlevel: manual
 supercrash                                                           [ failed ]`;
  expect(services({ openrc }).facts).toEqual({
    manager: 'OpenRC',
    failed: ['broken (stopped)', 'web', 'supercrash'],
    restarting: ['looping (9 restarts)'],
  });
});

describe('runit', () => {
  test('services that do not start, that are down, and that have just started', () => {
    const runit = `run: /etc/service/a: (pid 9) 500s; run: log: (pid 8) 500s
down: /etc/service/crash: 0s, normally up, want up
down: /etc/service/off: 11s
down: /etc/service/stopped: 5s, normally up
run: /etc/service/c: (pid 7) 1s`;
    expect(services({ runit })).toEqual({
      facts: { manager: 'runit', failed: ['crash', 'stopped (down)'], restarting: ['c (just started)'] },
      notChecked: [],
    });
  });

  test('services that nothing supervises are unknown', () => {
    const unsupervised = 'warning: /etc/service/b: unable to open supervise/ok: file does not exist';
    const both = `run: /etc/service/a: (pid 9) 500s\n${unsupervised}`;
    expect(services({ runit: both }, { runit: 1 })).toMatchObject({
      facts: { manager: 'runit', failed: [] },
      notChecked: ['sv cannot read the state of b.'],
    });
    const none = `fail: /etc/service/a: runsv not running\n${unsupervised}`;
    expect(services({ runit: none }, { runit: 2 })).toEqual({
      facts: null,
      notChecked: ['sv reports no supervised service.'],
    });
  });
});

test('s6: services that do not start, that are down, and those that cannot be read', () => {
  const s6 = `crash: down (exitcode 1) 0 seconds, normally up, want up, ready 0 seconds
off: down (exitcode 0) 7 seconds, ready 7 seconds
perm: down (exitcode 1) 7 seconds, normally up, ready 7 seconds
unsup: s6-svstat: fatal: : unable to read status for /run/service/unsup: s6-supervise not running
web: up (pid 38) 700 seconds
new: up (pid 33 pgid 33) 1 seconds`;
  expect(services({ s6 })).toEqual({
    facts: { manager: 's6', failed: ['crash', 'perm (down)'], restarting: ['new (just started)'] },
    notChecked: ['s6-svstat cannot read the state of unsup.'],
  });
});

test('no known service manager is a fact, if all of them were looked for', () => {
  const none = { manager: 'none', failed: [], restarting: [] };
  expect(services({})).toEqual({ facts: none, notChecked: [] });
  const cut = parseContainerReport('W began\nW done system\n', 'W');
  expect(parseServices(cut, 9)).toEqual({ facts: null, notChecked: [] });
  expect(services({ runit: 'x' }, { runit: null }).facts).toBeNull();
});
