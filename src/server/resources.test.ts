import { expect, test } from 'vitest';
import { record } from '../../test/mcp/deps.ts';
import type { Caller } from '../lib/caller.ts';
import { listResources, listTemplates, readResource } from './resources.ts';

const signal = new AbortController().signal;

test('who may not look is shown none, and refused what it asks for by its address', async () => {
  const { deps } = record();
  const caller: Caller = { name: 'nobody', rights: new Set(['write', 'host']) };
  expect(await listResources(deps, caller)).toEqual([]);
  expect(await listTemplates(deps, caller)).toEqual([]);
  for (const uri of ['proxmox://containers', 'proxmox://containers/101']) {
    await expect(readResource(uri, { caller, signal }, deps)).rejects.toMatchObject({
      code: -32603,
      data: { code: 'RIGHT_MISSING' },
    });
  }
});
