import { expect, test } from 'vitest';
import { TOOLSETS } from '../../../lib/toolsets.ts';
import { rightsOf, usableRights } from './scopes.ts';

const rights = (...scopes: string[]) => [...rightsOf(scopes, 'proxmox:')].sort();

test.each([
  [
    ['proxmox:write', 'proxmox:confirm'],
    ['confirm', 'read', 'write'],
  ],
  [['proxmox:host'], ['host', 'read']],
  [['proxmox:confirm'], []],
  [['confirm', 'write', 'openid'], []],
])('the scopes %j give the rights %j', (scopes, expected) => {
  expect(rights(...scopes)).toEqual(expected);
});

test('the scope confirm is not advertised: clients ask for every scope that is', () => {
  const settings = {
    characterLimit: 1,
    maxFileSize: 1,
    enableHostExec: true,
    allowSelf: false,
    readOnly: false,
    toolsets: TOOLSETS,
  };
  expect(usableRights(settings)).toEqual(['read', 'write', 'host']);
});
