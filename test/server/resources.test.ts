import { expect, test } from 'vitest';
import type { Caller } from '../../src/lib/caller.ts';
import { listResources, listTemplates, readResource } from '../../src/server/resources.ts';
import { record } from '../mcp/deps.ts';

const signal = new AbortController().signal;

test('does not list or read resources for a caller without the permission', async () => {
  const { deps } = record();
  const caller: Caller = { name: 'nobody', permissions: new Set(['write', 'host']) };
  expect(await listResources(deps, caller)).toEqual([]);
  expect(await listTemplates(deps, caller)).toEqual([]);
  for (const uri of ['proxmox://containers', 'proxmox://containers/101']) {
    await expect(readResource(uri, { caller, signal }, deps)).rejects.toMatchObject({
      code: -32603,
      data: { code: 'RIGHT_MISSING' },
    });
  }
});
