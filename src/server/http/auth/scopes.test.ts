import { expect, test } from 'vitest';
import { TOOLSETS } from '../../../lib/toolsets.ts';
import { permissionsOf, usablePermissions } from './scopes.ts';

const permissions = (...scopes: string[]) => [...permissionsOf(scopes, 'proxmox:')].sort();

test.each([
  [
    ['proxmox:write', 'proxmox:confirm'],
    ['confirm', 'read', 'write'],
  ],
  [['proxmox:host'], ['host', 'read']],
  [['proxmox:confirm'], []],
  [['confirm', 'write', 'openid'], []],
])('translates the scopes %j to %j', (scopes, expected) => {
  expect(permissions(...scopes)).toEqual(expected);
});

test('does not advertise the scope confirm, because clients request every advertised scope', () => {
  const settings = {
    characterLimit: 1,
    maxFileSize: 1,
    jobOutputLimit: 65_536,
    enableHostExec: true,
    allowSelf: false,
    readOnly: false,
    toolsets: TOOLSETS,
  };
  expect(usablePermissions(settings)).toEqual(['read', 'write', 'host']);
});
