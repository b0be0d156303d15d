import { expect, test } from 'vitest';
import { anonymize } from './anonymize.ts';

const HOME = '/home/jane doe';

test.each([
  ['127.0.0.1 port 44699 answers: OpenSSH_9.2', [], '<address> port 44699 answers: OpenSSH_9.2'],
  [
    '5 on pve1, 2 running: 101 web, 102 web-2',
    ['pve1', 'web', 'web-2'],
    '5 on <name>, 2 running: 101 <name>, 102 <name>',
  ],
  ['/etc/pve is readable; this node is PVE', ['pve'], '/etc/pve is readable; this node is <name>'],
  [
    'pve1.example.com resolves to 192.0.2.1, 2001:db8::3',
    ['pve1', 'pve1.example.com'],
    '<name> resolves to <address>, <address>',
  ],
  [
    'fe80::1%eth0, [2001:db8::3]:22, 10.0.0.5:22 and ::1.',
    [],
    '<address>, [<address>]:22, <address>:22 and <address>.',
  ],
  ['root@pve1 port 22; bob@laptop', ['pve1'], 'root@<name> port 22; <name>'],
  ['administrator, as admin', ['admin'], 'administrator, as <name>'],
  [`calls are logged in ${HOME}/.local/state`, [], 'calls are logged in ~<path>'],
  ['/srv and /mnt/files/x.y. sudo /bin/sh', [], '<path> and <path>. sudo /bin/sh'],
  ['ssh-ed25519 SHA256:abc+/def=', [], 'ssh-ed25519 SHA256:…'],
  ['took 12.5 s at 10:30', [], 'took 12.5 s at 10:30'],
])('%s, with the names %j: %s', (text, names, expected) => {
  expect(anonymize(text, names, HOME)).toBe(expected);
});

test('a name with characters of patterns is found', () => {
  expect(anonymize('101 a+b (c), 102 ax', ['a+b', '(c)'], HOME)).toBe('101 <name> <name>, 102 ax');
});
