import { mkdirSync, rmSync, statSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archiveWithAttributes, TAR } from '../fixtures/attributes.ts';
import { describeRig } from '../rig/require.ts';
import { CT, type Rig } from '../rig/rig.ts';
import { runRaw } from '../rig/run.ts';
import { until } from '../rig/until.ts';
import { failureOf, uniqueSleep, useClient } from './connect.ts';
import { jobsOf } from './jobs.ts';

/** Proxmox VE gives each unprivileged container these IDs of the node, for 0 to 65535. */
const FIRST_ID = 100_000;
const DIR = '/tmp/shifted';
const ENV = { ENABLE_HOST_EXEC: 'true' };

/** A directory in the unprivileged container, as it is seen on this machine, too. */
function useDirectory(rig: Rig) {
  let root = '';
  const seen = (name: string) => `${root}${DIR}/${name}`;
  // Of its own for each test, so that one can be repeated.
  beforeEach(async () => {
    root = await rig.rootfs(CT.debian);
    await rig.inContainer(CT.debian, ['mkdir', '-p', DIR]);
  });
  afterEach(async () => void (await rig.inContainer(CT.debian, ['rm', '-rf', DIR])));
  const inside = async (script: string) =>
    (await rig.inContainer(CT.debian, ['sh', '-c', `cd ${DIR}; ${script}`])).stdout;
  /** As `UID:GID MODE`, with the IDs of the node. */
  const onNode = (name: string) => {
    const { uid, gid, mode } = statSync(seen(name));
    return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
  };
  return { seen, inside, onNode };
}

describeRig('an unprivileged container: exec', (rig) => {
  const node = useClient(rig);

  test('has its own IDs, which are others on the node', async () => {
    const result = await node.exec(CT.debian, 'id -u; stat -c %u:%g /etc/passwd; cat /proc/self/uid_map');
    expect(result.stdout).toMatch(/^0\n0:0\n +0 +100000 +65536\n$/);
    expect(statSync(`${rig.rootfsOnDisk(CT.debian)}/etc/passwd`).uid).toBe(FIRST_ID);
    expect((await rig.ssh(`pct config ${CT.debian}`)).stdout).toContain('\nunprivileged: 1\n');
  });

  test('kills all processes, of whatever user and in namespaces of their own', async () => {
    const n = uniqueSleep();
    const users = `setsid su -s /bin/sh www-data -c 'exec env -i sleep ${n}' & setsid unshare -U -m sleep ${n} &`;
    const call = node.exec(CT.debian, `${users} sleep ${n}`, { timeout: 5 });
    await until(async () => {
      const found = await rig.containerProcesses(CT.debian, `sleep ${n}`);
      const ids = found
        .filter(({ comm }) => comm === 'sleep')
        .map(({ pid }) => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid);
      return ids.length === 3 && ids.includes(FIRST_ID + 33) && ids.includes(FIRST_ID);
    });
    expect(await call).toMatchObject({ ended: 'timeout', survivors: [] });
    expect(await rig.containerProcesses(CT.debian, n)).toEqual([]);
  });

  test('a job writes to /dev/stdout and /dev/stderr, and is cancelled', async () => {
    const n = uniqueSleep();
    const { start, ended, get } = jobsOf(node);
    const { job } = await start(CT.debian, `echo out >/dev/stdout; echo err >/dev/stderr; sleep ${n}`);
    await until(async () => (await get(job)).data.stderr === 'err\n');
    const cancelled = await node.call('cancel_job', { job });
    expect(cancelled.data, cancelled.text).toMatchObject({ ended: 'cancelled', survivors: [] });
    expect((await ended(job)).data).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });
});

describeRig('streams by their names in /dev', (rig) => {
  const asRoot = useClient(rig);
  const withSudo = useClient(rig, { SSH_USERNAME: 'admin' });

  test.each([
    [CT.debian, 'root', asRoot],
    [CT.debian, 'sudo', withSudo],
    [CT.busybox, 'root', asRoot],
  ])('a command in %i, as %s on the node, writes to them', async (vmid, _user, node) => {
    await rig.inNode(['chmod', '666', '/dev/null']);
    const command = 'echo 1; echo 2 >/dev/stdout; echo 3 | tee /dev/stderr; echo 4 >/proc/self/fd/2';
    for (let run = 0; run < 4; run++) {
      expect(await node.exec(vmid, command)).toMatchObject({
        exit_code: 0,
        stdout: '1\n2\n3\n',
        stderr: '3\n4\n',
      });
    }
    expect((await rig.inNode(['stat', '-c', '%a', '/dev/null'])).stdout).toBe('666\n');
  });
});

describeRig('an unprivileged container: files', (rig) => {
  const node = useClient(rig, ENV);
  const { seen, inside, onNode } = useDirectory(rig);

  const upload = async (name: string, more: object) => {
    await fs.writeFile(`${node.dir}/${name}`, 'new\n');
    const args = { vmid: CT.debian, local_path: `${node.dir}/${name}`, container_path: `${DIR}/${name}` };
    return node.call('upload_file_to_container', { ...args, ...more });
  };

  test('an upload belongs to the root or the user that the container has', async () => {
    expect((await upload('mine', {})).isError).toBe(false);
    expect(onNode('mine')).toBe('100000:100000 644');
    const owned = await upload('theirs', { owner: 'www-data', group: '42', permissions: '4750' });
    expect(owned.isError, owned.text).toBe(false);
    expect(onNode('theirs')).toBe('100033:100042 4750');
    expect(await inside('stat -c "%u:%g %a" theirs')).toBe('33:42 4750\n');
    await inside('chown 34:35 mine; chmod 2751 mine');
    expect((await upload('mine', { overwrite: true })).isError).toBe(false);
    expect(onNode('mine')).toBe('100034:100035 2751');
  });

  test('an owner that the container does not have is refused', async () => {
    const refused = failureOf(await upload('outside', { owner: '70000' }));
    expect(refused).toMatchObject({ code: 'UNKNOWN_OWNER' });
    expect(await inside('ls -A')).not.toContain('outside');
  });

  describe('a file of a user of the node', () => {
    const EDIT = { edits: [{ old: 'old', new: 'new' }] };
    const foreign = async (name: string) => {
      await fs.writeFile(seen(name), 'old\n', { mode: 0o644 });
      await fs.chown(seen(name), 1000, 1000);
      expect(await inside(`stat -c %U:%G ${name}`)).toBe('nobody:nogroup\n');
    };

    test('is read, but not replaced by one of another owner', async () => {
      await foreign('foreign');
      const file = { vmid: CT.debian, path: `${DIR}/foreign` };
      expect((await node.call('read_file', file)).text).toContain('old');
      expect(failureOf(await node.call('edit_file', { ...file, ...EDIT }))).toMatchObject({
        code: 'PERMISSION_DENIED',
        suggestion: expect.stringContaining('unprivileged container'),
      });
      expect(failureOf(await upload('foreign', { overwrite: true })).code).toBe('PERMISSION_DENIED');
      expect(await fs.readFile(seen('foreign'), 'utf8')).toBe('old\n');
      expect(onNode('foreign')).toBe('1000:1000 644');
      expect(await inside('ls -A')).not.toContain('proxmox-mcp');
    });

    test('is replaced if the new owner is requested', async () => {
      await foreign('requested');
      const result = await upload('requested', { overwrite: true, owner: 'root', group: 'root' });
      expect(result.isError, result.text).toBe(false);
      expect(onNode('requested')).toBe('100000:100000 644');
    });

    test("is no file of the container's own nobody, which keeps its owner", async () => {
      await inside('echo old >own; chown nobody:nogroup own');
      const result = await node.call('edit_file', { vmid: CT.debian, path: `${DIR}/own`, ...EDIT });
      expect(result.isError, result.text).toBe(false);
      expect(onNode('own')).toBe('165534:165534 644');
    });
  });

  test('a copy of a directory has the owners, links and holes that are seen inside, in both directions', async () => {
    await inside(
      'mkdir tree tree/sub; echo x >tree/a; ln tree/a tree/sub/b; chown 33:44 tree/a; chown 5:6 tree/sub',
    );
    await inside('chmod 4755 tree/a; ln -s ../a tree/sub/link; truncate -s 5M tree/holes');
    const listing = 'cd "$1" && find . | sort | xargs stat -c "%n %u:%g %a %h"';
    const at = (vmid: number, dir: string) => rig.inContainer(vmid, ['sh', '-c', listing, 'sh', dir]);
    const there = '/tmp/copied-tree';
    const copy = (source: string, target: string) =>
      node.call('copy_file', { source, target, recursive: true });
    try {
      const out = await copy(`${CT.debian}:${DIR}/tree`, `${CT.busybox}:${there}`);
      expect(out.isError, out.text).toBe(false);
      const back = await copy(`${CT.busybox}:${there}`, `${CT.debian}:${DIR}/back`);
      expect(back.isError, back.text).toBe(false);
      const original = (await at(CT.debian, `${DIR}/tree`)).stdout;
      expect(original).toContain('./a 33:44 4755 2\n');
      expect((await at(CT.busybox, there)).stdout).toBe(original);
      expect((await at(CT.debian, `${DIR}/back`)).stdout).toBe(original);
      expect(onNode('back/a')).toBe('100033:100044 4755');
    } finally {
      await rig.inContainer(CT.busybox, ['rm', '-rf', there]);
    }
  });

  test('a copy whose owner the container does not have is refused with the reason', async () => {
    const dir = `${rig.info.paths.tmp}/outside`;
    mkdirSync(dir);
    try {
      await fs.writeFile(`${dir}/file`, 'x');
      await fs.chown(`${dir}/file`, FIRST_ID + 1000, FIRST_ID + 1000);
      for (const [name, more] of [
        ['outside/file', {}],
        ['outside', { recursive: true }],
      ] as const) {
        const args = { source: `host:/tmp/${name}`, target: `${CT.debian}:${DIR}/refused`, ...more };
        expect(failureOf(await node.call('copy_file', args)), name).toMatchObject({
          code: 'UNKNOWN_OWNER',
          suggestion: expect.stringContaining('unprivileged container'),
        });
      }
      expect(await inside('ls -A')).not.toMatch(/refused|proxmox-mcp/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('an edit keeps a capability, which is bound to the root of the container', async () => {
    await fs.writeFile(seen('archive.tar'), archiveWithAttributes('capable', 'old\n'));
    await rig.inContainer(CT.debian, [...TAR, '-xf', `${DIR}/archive.tar`, '-C', DIR]);
    // Version 3 with the ID of its root on the node.
    const stored = Buffer.from('0100000300040000000000000000000000000000a0860100', 'hex');
    const isStored = async () =>
      (await runRaw([...TAR, '-cf', '-', '-C', seen(''), 'capable'])).stdout.includes(stored);
    expect(await isStored()).toBe(true);
    const result = await node.call('edit_file', {
      vmid: CT.debian,
      path: `${DIR}/capable`,
      edits: [{ old: 'old', new: 'new' }],
    });
    expect(result.data, result.text).toMatchObject({ attributes: 'kept' });
    expect(await fs.readFile(seen('capable'), 'utf8')).toBe('new\n');
    expect(await isStored()).toBe(true);
  });
});
