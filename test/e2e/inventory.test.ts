import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import * as z from 'zod';
import { describeRig } from '../rig/require.ts';
import { CT } from '../rig/rig.ts';
import { failureOf, useClient } from './connect.ts';

const item = z.object({
  vmid: z.number(),
  status: z.string(),
  name: z.string(),
  lock: z.string().nullable(),
  node: z.string(),
  local: z.boolean(),
  template: z.boolean(),
  tags: z.array(z.string()),
});

describeRig('list and status', (rig) => {
  const { call, exec } = useClient(rig);
  afterEach(() => rig.reset());

  async function list() {
    const result = await call('list_containers', {});
    expect(result.isError, result.text).toBe(false);
    const containers = z.array(item).parse(result.data.containers);
    expect(JSON.parse(result.text)).toEqual(containers);
    return containers;
  }
  const find = async (vmid: number) => (await list()).find((container) => container.vmid === vmid);
  const confOf = (vmid: number) =>
    readFileSync(join(rig.info.paths.pve, `nodes/pve1/lxc/${vmid}.conf`), 'utf8');

  test('the list has the containers of all nodes, no machines, and nothing of their snapshots', async () => {
    const here = { node: 'pve1', local: true, template: false, lock: null, tags: [] };
    expect(await list()).toEqual([
      { ...here, vmid: 9101, status: 'running', name: 'debian', tags: ['rig', 'web'] },
      { ...here, vmid: 9102, status: 'running', name: 'busybox' },
      { ...here, vmid: 9103, status: 'stopped', name: 'stopped', tags: ['rig'] },
      { ...here, vmid: 9104, status: 'running', name: 'locked', lock: 'backup' },
      {
        ...here,
        vmid: 9105,
        status: 'running',
        name: 'elsewhere',
        node: 'pve2',
        local: false,
        tags: ['rig', 'remote'],
      },
    ]);
  });

  test('as text it is a table', async () => {
    const { text } = await call('list_containers', { response_format: 'text' });
    expect(text).toMatch(/^VMID +STATUS +NAME +NODE +LOCK +TAGS\n/);
    expect(text).toMatch(/^9104 +running +locked +pve1 +backup +-$/m);
    expect(text).toMatch(/^9105 +running +elsewhere +pve2 \(other node\) +- +rig,remote$/m);
  });

  test('a change shows at once', async () => {
    await rig.ensureStarted(CT.stopped);
    expect((await find(CT.stopped))?.status).toBe('running');
    expect((await call('container_status', { vmid: CT.stopped })).data.status).toBe('running');
    await rig.ensureStopped(CT.stopped);
    expect((await find(CT.stopped))?.status).toBe('stopped');
    expect((await call('container_status', { vmid: CT.stopped })).data.status).toBe('stopped');
  });

  test('junk in a configuration spoils neither its own line nor the others', async () => {
    await rig.setConf(CT.busybox, `%%% junk\n${confOf(CT.busybox)}hostname\n: : :\n\u0000\u0001[\n`);
    expect(await find(CT.busybox)).toMatchObject({ name: 'busybox', status: 'running', lock: null });
    expect(await list()).toHaveLength(5);
  });

  test('keys without a space, a container without a name or a configuration, a template', async () => {
    await rig.setConf(CT.busybox, 'arch:amd64\nlock:fstrim\ntags:a;b\n');
    expect(await find(CT.busybox)).toMatchObject({ name: 'CT9102', lock: 'fstrim', tags: ['a', 'b'] });
    await rig.setConf(CT.stopped, undefined);
    expect(await find(CT.stopped)).toMatchObject({ name: 'CT9103', status: 'stopped' });
    await rig.setConf(CT.stopped, 'hostname: golden\ntemplate: 1\n');
    expect(await find(CT.stopped)).toMatchObject({ name: 'golden', template: true });
  });

  test('an empty cluster is an empty list', async () => {
    await rig.setPve('.vmlist', '{"version":3}');
    expect(await list()).toEqual([]);
    expect((await call('list_containers', { response_format: 'text' })).text).toBe(
      'There are no containers.',
    );
  });

  test('a node that publishes nothing: its containers are listed as unknown', async () => {
    const undo = await rig.setPve('.rrd', '');
    try {
      expect(await find(CT.elsewhere)).toMatchObject({ status: 'unknown', name: 'elsewhere' });
      expect((await call('container_status', { vmid: CT.debian })).data).toMatchObject({
        status: 'running',
        cpu: null,
      });
    } finally {
      await undo();
    }
  });

  test('status tells state, place, lock and use', async () => {
    expect((await call('container_status', { vmid: CT.debian })).data).toEqual({
      vmid: 9101,
      status: 'running',
      name: 'debian',
      node: 'pve1',
      local: true,
      lock: null,
      frozen: false,
      template: false,
      tags: ['rig', 'web'],
      uptime_s: 3600,
      cpu: 0.0125,
      cpus: 2,
      memory_bytes: 104857600,
      memory_max_bytes: 536870912,
      disk_bytes: 1073741824,
      disk_max_bytes: 8589934592,
    });
    expect((await call('container_status', { vmid: CT.locked })).data).toMatchObject({ lock: 'backup' });
    expect((await call('container_status', { vmid: String(CT.elsewhere) })).data).toMatchObject({
      status: 'running',
      node: 'pve2',
      local: false,
      uptime_s: 7200,
    });
    const { text } = await call('container_status', { vmid: CT.debian, response_format: 'text' });
    expect(text).toMatch(/^Memory: +100 MB of 512 MB$/m);
  });

  test('status tells that a container is frozen', async () => {
    const thaw = await rig.freeze(CT.busybox);
    try {
      const { data } = await call('container_status', { vmid: CT.busybox });
      expect(data).toMatchObject({ status: 'running', frozen: true });
      expect((await call('container_status', { vmid: CT.debian })).data.frozen).toBe(false);
    } finally {
      await thaw();
    }
  });

  test('status of an unknown one, and of a virtual machine', async () => {
    expect(failureOf(await call('container_status', { vmid: CT.unknown })).code).toBe('CONTAINER_NOT_FOUND');
    expect(failureOf(await call('container_status', { vmid: 100 })).code).toBe('NOT_A_CONTAINER');
  });

  async function expectUnavailable(): Promise<void> {
    for (const result of [
      await call('list_containers', {}),
      await call('container_status', { vmid: CT.debian }),
      await call('start_container', { vmid: CT.stopped }),
    ]) {
      expect(failureOf(result)).toMatchObject({
        code: 'PMXCFS_UNAVAILABLE',
        suggestion: expect.stringContaining('pve-cluster'),
      });
    }
    expect((await exec(CT.debian, 'echo still works')).stdout).toBe('still works\n');
  }

  test('pmxcfs is down, so /etc/pve is empty: told, and commands still run', async () => {
    const undo = await emptyEtcPve();
    try {
      await expectUnavailable();
    } finally {
      await undo();
    }
  });

  /** As the mount point looks when nothing is mounted on it. */
  async function emptyEtcPve() {
    const { pve } = rig.info.paths;
    await rig.inNode(['mount', '-t', 'tmpfs', 'tmpfs', '/etc/pve']);
    expect((await rig.inNode(['ls', '-A', '/etc/pve'])).stdout, pve).toBe('');
    return async () => void (await rig.inNode(['umount', '/etc/pve']));
  }

  test('files that are no longer what they were: told', async () => {
    await rig.setPve('.vmlist', '{"version":12,"ids":{"9101":{"no');
    expect(failureOf(await call('list_containers', {})).code).toBe('PMXCFS_UNAVAILABLE');
  });

  test('pmxcfs hangs: told within the limit of 10 s, and commands still run', async () => {
    const file = join(rig.info.paths.pve, '.members');
    renameSync(file, `${file}.away`);
    // Reading it waits for a writer that never comes.
    execFileSync('mkfifo', [file]);
    try {
      const since = performance.now();
      const [listed, status, ran] = await Promise.all([
        call('list_containers', {}),
        call('container_status', { vmid: CT.debian }),
        exec(CT.debian, 'echo still works'),
      ]);
      expect(ran.stdout).toBe('still works\n');
      for (const result of [listed, status]) {
        expect(failureOf(result)).toMatchObject({
          code: 'PMXCFS_UNAVAILABLE',
          error: expect.stringContaining('hang'),
        });
      }
      expect(performance.now() - since).toBeLessThan(12_000);
    } finally {
      closeSync(openSync(file, constants.O_RDWR | constants.O_NONBLOCK)); // lets go those who wait
      rmSync(file);
      renameSync(`${file}.away`, file);
    }
    expect((await call('list_containers', {})).isError).toBe(false);
  });
});
