import { expect, test } from 'vitest';
import type { SshTarget } from '../../ssh/ssh-types.ts';
import { routesToNode } from './node-target.ts';

const jump: SshTarget = {
  host: 'bastion',
  port: 22,
  username: 'me',
  identityFiles: [],
  jumps: [],
  hostKeyPolicy: 'accept-new',
  knownHostsFiles: [],
  knownHostsWriteFile: '/known',
};
const entry: SshTarget = {
  ...jump,
  host: '192.0.2.1',
  port: 2222,
  username: 'admin',
  password: 'secret',
  identityFiles: ['/key'],
  hostKeyAlias: 'alias',
  jumps: [jump],
};
const keys = { text: 'pve2 ssh-rsa AAAA\n', source: 'the cluster', remedy: 'Publish it.' };

test('uses the login and the port of the entry node, and the name of the node for its host key', () => {
  const { direct } = routesToNode('pve2', { host: '192.0.2.2' }, entry, keys);
  expect(direct).toMatchObject({
    host: '192.0.2.2',
    port: 2222,
    username: 'admin',
    password: 'secret',
    identityFiles: ['/key'],
    hostKeyAlias: 'pve2',
    trustedHostKeys: keys,
    jumps: [jump],
  });
});

test('takes the port of the address if it has one', () => {
  expect(routesToNode('pve2', { host: 'h', port: 22 }, entry, keys).direct.port).toBe(22);
});

test('never accepts an unknown host key, unless host keys are not checked at all', () => {
  for (const [hostKeyPolicy, expected] of [
    ['accept-new', 'strict'],
    ['strict', 'strict'],
    ['insecure', 'insecure'],
  ] as const) {
    const { direct, forwarded } = routesToNode('pve2', { host: 'h' }, { ...entry, hostKeyPolicy }, keys);
    expect([direct.hostKeyPolicy, forwarded?.hostKeyPolicy]).toEqual([expected, expected]);
  }
});

test('goes through the jump hosts of the entry node and then through the entry node', () => {
  const { forwarded } = routesToNode('pve2', { host: 'h' }, entry, keys);
  expect(forwarded?.jumps.map(({ host }) => host)).toEqual(['bastion', '192.0.2.1']);
  expect(forwarded?.jumps[1]).toMatchObject({
    hostKeyAlias: 'alias',
    hostKeyPolicy: 'accept-new',
    jumps: [],
  });
});
