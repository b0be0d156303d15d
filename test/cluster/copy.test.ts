import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { failureOf } from '../e2e/connect.ts';
import { isPart, isTransfer } from '../e2e/far.ts';
import { bytes, sha256 } from '../e2e/transfers.ts';
import { endOf, type Progress } from '../mcp/client.ts';
import { until } from '../rig/until.ts';
import { type ClusterClient, enterBy } from './cluster-client.ts';
import { MEMBERS, NODE_NAMES, THREE_NODES } from './three-nodes.ts';

/** Takes seconds to travel. */
const LONG = 2 ** 31;
const { first, second, third } = MEMBERS;

let simulator: Simulator;
let server: ClusterClient;
beforeEach(async () => {
  simulator = await Simulator.start({ scenario: THREE_NODES });
  // The limit of transfers to and from the server's machine does not apply.
  const env = { POLICY: 'open', ENABLE_HOST_EXEC: 'true', MAX_FILE_SIZE: '1000' };
  server = await enterBy(simulator, ['pve1'], env);
});
afterEach(() => simulator.stop());

const copy = (source: string, target: string, more: object = {}, options: object = {}) =>
  server.client.callTool('proxmox_copy_file', { source, target, ...more }, options);
const filesOf = (vmid: number) => simulator.container(vmid).files;
const partsOf = (vmid: number) => filesOf(vmid).list('/root').filter(isPart);

/** A file of zeros that begins with a word, and uses no space. */
function putLong(vmid: number, size = LONG): void {
  filesOf(vmid).write('/root/source', 'begin');
  filesOf(vmid).truncate('/root/source', size);
}

async function nothingLeft(): Promise<void> {
  await until(() => {
    const processes = NODE_NAMES.flatMap((name) => simulator.node(name).processes());
    return [first, second, third].every((vmid) => partsOf(vmid).length === 0) && !processes.some(isTransfer);
  });
}

describe.each([
  ['from another node', second, first],
  ['to another node', first, third],
  ['between two other nodes', second, third],
])('a copy %s', (_name, from, to) => {
  const source = `${from}:/root/source`;
  const target = `${to}:/root/copy`;

  test.each([0, 1, 9_000_000])('of %i bytes keeps mode and numeric owner', async (size) => {
    const content = bytes(size);
    filesOf(from).write('/root/source', content);
    await simulator.container(from).run(['chown', '33:44', '/root/source']);
    await simulator.container(from).run(['chmod', '751', '/root/source']);
    const result = await copy(source, target);
    expect(result.data, result.text).toMatchObject({
      success: true,
      kind: 'file',
      bytes_transferred: size,
      sha256: sha256(content),
      permissions: '751',
      uid: 33,
      gid: 44,
      overwritten: false,
    });
    expect(filesOf(to).read('/root/copy').equals(content)).toBe(true);
    expect(filesOf(to).get('/root/copy')).toMatchObject({ uid: 33, gid: 44 });
    expect(failureOf(await copy(source, target)).code).toBe('FILE_EXISTS');
    await nothingLeft();
  });

  test('of a directory, and again over the first copy', async () => {
    filesOf(from).makeDirectory('/root/source');
    filesOf(from).makeDirectory('/root/source/sub');
    filesOf(from).write('/root/source/sub/file', bytes(300_000));
    filesOf(from).symlink('sub/file', '/root/source/link');
    expect(failureOf(await copy(source, target)).code).toBe('IS_A_DIRECTORY');
    const result = await copy(source, target, { recursive: true });
    expect(result.data, result.text).toMatchObject({
      kind: 'directory',
      files: 1,
      directories: 2,
      links: 1,
      overwritten: false,
    });
    expect(filesOf(to).read('/root/copy/sub/file').equals(bytes(300_000))).toBe(true);
    expect(filesOf(to).get('/root/copy/link', false).kind).toBe('link');
    filesOf(from).write('/root/source/sub/file', 'second');
    const over = await copy(source, target, { recursive: true, overwrite: true });
    expect(over.data, over.text).toMatchObject({ overwritten: true });
    expect(simulator.container(to).file('/root/copy/sub/file')).toBe('second');
    await nothingLeft();
  });
});

describe.each([
  ['to another node', first, third],
  ['between two other nodes', second, third],
])('a copy %s', (_name, from, to) => {
  const source = `${from}:/root/source`;
  const target = `${to}:/root/copy`;

  test('of a file that changes meanwhile is refused, and the old content stays', async () => {
    filesOf(to).write('/root/copy', 'old');
    putLong(from, 2 ** 26);
    const call = copy(source, target, { overwrite: true });
    await midway(to);
    const inode = filesOf(from).get('/root/source');
    if (inode.kind === 'file') inode.content.write('BEGIN');
    expect(failureOf(await call).code).toBe('FILE_CHANGED');
    await nothingLeft();
    expect(simulator.container(to).file('/root/copy')).toBe('old');
  });

  test('that is cancelled ends on both nodes, and the old content stays', async () => {
    filesOf(to).write('/root/copy', 'old');
    putLong(from);
    const notes: Progress[] = [];
    const cancel = new AbortController();
    const options = { signal: cancel.signal, onProgress: (note: Progress) => void notes.push(note) };
    const end = endOf(copy(source, target, { overwrite: true }, options));
    // The first notes may only tell how long the call has been running.
    await until(() => notes.some((note) => note.total === LONG && /B of 2\.0 GB/.test(note.message ?? '')));
    cancel.abort();
    expect(await end).toBe('rejected');
    await nothingLeft();
    expect(simulator.container(to).file('/root/copy')).toBe('old');
  });

  test.each([
    ['source', from],
    ['target', to],
  ])(
    'ends on both nodes when the connection to that of the %s is lost, and the old content stays',
    async (_side, vmid) => {
      filesOf(to).write('/root/copy', 'old');
      putLong(from);
      const call = copy(source, target, { overwrite: true });
      await midway(to);
      simulator.node(simulator.ownerOf(vmid)).dropConnections();
      expect(failureOf(await call).code).toBe('DISCONNECTED');
      await nothingLeft();
      expect(simulator.container(to).file('/root/copy')).toBe('old');
    },
  );
});

describe('a copy between nodes', () => {
  const source = `${second}:/root/source`;
  const target = `${third}:/root/copy`;

  test('sends no more than the receiver takes', async () => {
    putLong(second);
    let done = 0;
    const cancel = new AbortController();
    const onProgress = ({ progress }: Progress) => {
      // Notes without progress have a little more than the one before.
      done = Math.round(progress);
    };
    const options = { signal: cancel.signal, onProgress };
    const ended = copy(source, target, {}, options).catch((error: unknown) => error);
    await midway(third);
    simulator.node('pve3').hang();
    let before = -1;
    await until(async () => {
      const stands = done === before;
      before = done;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return stands;
    });
    const arrived = () =>
      partsOf(third).reduce((sum, name) => {
        const inode = filesOf(third).get(`/root/${name}`);
        return sum + (inode.kind === 'file' ? inode.content.length : 0);
      }, 0);
    expect(done).toBeLessThan(LONG);
    expect(done - arrived()).toBeLessThan(2 ** 25);
    simulator.node('pve3').hang(false);
    cancel.abort();
    expect(await ended).toBeInstanceOf(Error);
    await nothingLeft();
  });

  test.each([
    ['at once', ''],
    ['later', 'sleep 0.5; '],
  ])('passes on no more bytes than the source announced, if more come %s', async (_when, before) => {
    filesOf(second).write('/root/source', bytes(1000));
    filesOf(second).write(
      '/usr/local/sbin/head',
      `#!/bin/sh\nPATH=/usr/bin:/bin\nhead "$@"\n[ "$2" != 1000 ] || { ${before}echo and more; sleep 0.5; }\n`,
    );
    await simulator.container(second).run(['chmod', '755', '/usr/local/sbin/head']);
    expect(failureOf(await copy(source, target)).code).toBe('FILE_CHANGED');
    expect(filesOf(third).exists('/root/copy')).toBe(false);
    await nothingLeft();
  });

  test.each([
    ['a file', 'source', {}],
    ['a directory', 'tree', { recursive: true }],
  ])('of %s for which the disk has no room: DISK_FULL, and nothing is left', async (_what, name, more) => {
    filesOf(second).write('/root/source', bytes(3_000_000));
    filesOf(second).makeDirectory('/root/tree');
    filesOf(second).write('/root/tree/file', bytes(3_000_000));
    simulator.container(third).fillDisk(1_000_000);
    expect(failureOf(await copy(`${second}:/root/${name}`, target, more)).code).toBe('DISK_FULL');
    expect(filesOf(third).exists('/root/copy')).toBe(false);
    await nothingLeft();
  });

  test('uses the entry node as the host', async () => {
    simulator.node('pve1').write('/root/source', 'of pve1');
    const there = await copy('host:/root/source', `${third}:/root/copy`);
    expect(there.isError, there.text).toBe(false);
    expect(simulator.container(third).file('/root/copy')).toBe('of pve1');
    const back = await copy(`${third}:/root/copy`, 'host:/root/back');
    expect(back.isError, back.text).toBe(false);
    expect(simulator.node('pve1').file('/root/back')).toBe('of pve1');
    const local = await copy('host:/root/source', `${first}:/root/copy`);
    expect(local.isError, local.text).toBe(false);
    expect(simulator.container(first).file('/root/copy')).toBe('of pve1');
  });

  test('names the node that cannot be used, and the other one works', async () => {
    filesOf(second).write('/root/source', 'x');
    filesOf(first).write('/root/source', 'x');
    simulator.node('pve3').refuseLogins();
    for (const [from, to] of [
      [`${third}:/root/source`, `${second}:/root/copy`],
      [source, target],
      [`${first}:/root/source`, target],
    ] as const) {
      expect(failureOf(await copy(from, to))).toMatchObject({
        code: 'SSH_AUTH_FAILED',
        error: expect.stringContaining('pve3'),
      });
    }
    const result = await copy(source, `${first}:/root/copy`);
    expect(result.isError, result.text).toBe(false);
  });

  test.each([
    ['with rules on attributes', {}],
    ['without', { POLICY: 'open' }],
  ])('finds a container that has moved, on either side, %s', async (_what, env) => {
    const { client } = await enterBy(simulator, ['pve1'], env);
    const { moving } = MEMBERS;
    const copied = async (from: string, to: string) => {
      const result = await client.callTool('proxmox_copy_file', {
        source: from,
        target: to,
        overwrite: true,
      });
      expect(result.isError, result.text).toBe(false);
    };
    filesOf(second).write('/root/source', 'x');
    await copied(source, `${moving}:/root/copy`);
    simulator.migrate(moving, 'pve3');
    await copied(source, `${moving}:/root/copy`);
    simulator.migrate(moving, 'pve1');
    await copied(`${moving}:/root/copy`, target);
    expect(simulator.container(third).file('/root/copy')).toBe('x');
  });

  test('tells that a container is stopped, on either side', async () => {
    filesOf(second).write('/root/source', 'x');
    const stopped = `${MEMBERS.stopped}:/root/x`;
    expect(failureOf(await copy(source, stopped)).code).toBe('CONTAINER_NOT_RUNNING');
    expect(failureOf(await copy(stopped, `${second}:/root/copy`)).code).toBe('CONTAINER_NOT_RUNNING');
    await nothingLeft();
  });
});

test('many opposite copies at once do not wait for each other', async () => {
  // Fewer sessions than copies: 16 connections to each node, with one session each.
  const nodes = ['pve2', 'pve3'].map((name) => simulator.node(name));
  for (const node of nodes) node.maxSessions = 1;
  // All connections exist, and all first sessions are taken before a second one is asked for.
  const busy = [second, third].flatMap((vmid) =>
    Array.from({ length: 16 }, () => server.exec(vmid, 'sleep 2')),
  );
  await Promise.all(busy);
  for (const node of nodes) node.delay(150);
  const pairs = Array.from({ length: 24 }, (_, index) => [
    [`${second}:/root/source`, `${third}:/root/copy-${index}`],
    [`${third}:/root/source`, `${second}:/root/copy-${index}`],
  ]).flat();
  for (const vmid of [second, third]) filesOf(vmid).write('/root/source', bytes(100_000));
  const results = await Promise.all(pairs.map(([from = '', to = '']) => copy(from, to)));
  expect(results.filter(({ isError }) => isError).map(({ text }) => text)).toEqual([]);
  await nothingLeft();
});

/** Resolves once a part of the file has arrived. */
async function midway(vmid: number): Promise<void> {
  await until(() =>
    partsOf(vmid).some((name) => {
      const inode = filesOf(vmid).get(`/root/${name}`);
      return inode.kind === 'file' && inode.content.length > 0;
    }),
  );
}
