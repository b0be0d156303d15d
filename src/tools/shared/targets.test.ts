import { describe, expect, test } from 'vitest';
import { AppError } from '../../lib/errors.ts';
import type { ContainerSummary } from '../../proxmox/proxmox-types.ts';
import { matchesFilter, selectContainers, skippedLines, type TargetSelection } from './targets.ts';

function container(vmid: number, name: string, rest: Partial<ContainerSummary> = {}): ContainerSummary {
  const running = {
    status: 'running',
    frozen: false,
    lock: null,
    node: 'pve1',
    local: true,
    template: false,
    tags: [],
  } as const;
  return { vmid, name, pool: null, ...running, ...rest };
}

const CONTAINERS = [
  container(101, 'Web1', { tags: ['web', 'prod'] }),
  container(102, 'web2', { tags: ['Web'] }),
  container(103, 'web3', { tags: ['web'], status: 'stopped' }),
  container(104, 'db1', { tags: ['db'] }),
  container(105, 'web-base', { tags: ['web'], template: true, status: 'stopped' }),
  container(106, 'web6', { tags: ['web'], node: 'pve2', local: false, status: 'unknown' }),
  container(107, 'mail', { node: 'pve2', local: false, status: 'stopped' }),
];

/** VMIDs, each with the code of the reason for skipping it. */
async function select(selection: TargetSelection, whenEmpty: 'all' | 'refuse' = 'refuse') {
  const signal = new AbortController().signal;
  const unused = () => {
    throw new Error('not part of this test');
  };
  const cluster = {
    connections: 0,
    list: async () => CONTAINERS,
    listDetails: unused,
    guest: async (vmid: number) => {
      if (vmid === 200) throw new AppError('NOT_A_CONTAINER', '200 is a virtual machine.', 'List them.');
      throw new AppError('CONTAINER_NOT_FOUND', `Container ${vmid} does not exist.`, 'List them.');
    },
    reach: unused,
    status: unused,
    redeem: unused,
    entryName: unused,
    isOwnContainer: unused,
    localFile: unused,
    inspect: unused,
    container: unused,
    copy: unused,
    host: unused,
    close: unused,
    jobs: { list: unused, get: unused, wait: unused, capture: unused, read: unused, cancel: unused },
  };
  const selected = await selectContainers(selection, { cluster, signal }, whenEmpty);
  return selected.map(({ vmid, skipped }) => (skipped === null ? vmid : `${vmid} ${skipped.code}`));
}

describe('the selection', () => {
  const STOPPED = '103 CONTAINER_NOT_RUNNING';

  test.each<[TargetSelection, (number | string)[]]>([
    [{ vmids: [104, 101] }, [101, 104]],
    [{ vmids: [101, 101] }, [101]],
    [{ tags: ['web'] }, [101, 102, STOPPED, 106]],
    [{ tags: ['db', 'prod'] }, [101, 104]],
    [{ name: 'WEB?' }, [101, 102, STOPPED, 106]],
    [{ name: 'db1' }, [104]],
    [{ name: '*' }, [101, 102, STOPPED, 104, 106, '107 CONTAINER_NOT_RUNNING']],
    [{ node: 'pve2' }, [106, '107 CONTAINER_NOT_RUNNING']],
    [{ tags: ['web'], node: 'pve1', except: [101, 103] }, [102]],
    [{ tags: ['w*'], name: '*2' }, [102]],
  ])('%j', async (selection, expected) => {
    expect(await select(selection)).toEqual(expected);
  });

  test('includes each of vmids, with the reason for those that are skipped', async () => {
    expect(await select({ vmids: [101, 103, 105, 106, 107, 200, 201] })).toEqual([
      101,
      STOPPED,
      '105 CONTAINER_IS_TEMPLATE',
      106,
      107,
      '200 NOT_A_CONTAINER',
      '201 CONTAINER_NOT_FOUND',
    ]);
    expect(await select({ vmids: [101, 104, 201], tags: ['web'], except: [201] })).toEqual([
      101,
      '104 WRONG_TARGET',
    ]);
  });

  test('without a selector covers every container if the tool allows it, and is refused otherwise', async () => {
    expect(await select({}, 'all')).toEqual([101, 102, STOPPED, 104, 106, '107 CONTAINER_NOT_RUNNING']);
    expect(await select({ except: [104] }, 'all')).toEqual([
      101,
      102,
      STOPPED,
      106,
      '107 CONTAINER_NOT_RUNNING',
    ]);
    await expect(select({})).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(select({ except: [104] })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('is an error that repeats the selectors if no container matches', async () => {
    await expect(select({ name: 'mail*', node: 'pve1' })).rejects.toMatchObject({
      code: 'CONTAINER_NOT_FOUND',
      message: 'No container matches name "mail*", node "pve1".',
    });
  });
});

test('a filter without conditions matches every container', () => {
  expect(matchesFilter({ name: 'a', node: 'b', tags: [] }, {})).toBe(true);
});

test('skipped containers are grouped by their reason', () => {
  const stopped = (vmid: number, name: string | null) => {
    return { vmid, name, code: 'CONTAINER_NOT_RUNNING', reason: `Container ${vmid} is stopped.` };
  };
  const denied = (vmid: number) => ({ vmid, name: 'x', code: 'POLICY_DENIED', reason: 'Rule "no".' });
  expect(skippedLines([stopped(101, 'a'), denied(102), stopped(103, null), denied(104)])).toEqual([
    'Skipped 101 (a), 103: CONTAINER_NOT_RUNNING',
    'Skipped 102 (x), 104 (x): POLICY_DENIED: Rule "no".',
  ]);
  expect(skippedLines([stopped(101, 'a')])).toEqual([
    'Skipped 101 (a): CONTAINER_NOT_RUNNING: Container 101 is stopped.',
  ]);
});
