import { execFileSync } from 'node:child_process';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { CT, pveFixture } from '../rig/containers.ts';
import { failureOf, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

const item = z.object({
  vmid: z.number(),
  status: z.string(),
  name: z.string(),
  frozen: z.boolean().optional(),
  lock: z.string().optional(),
  node: z.string(),
  local: z.boolean(),
  template: z.boolean(),
  tags: z.array(z.string()),
  reason: z.string().optional(),
});

describeNode('list and status', [], (node, { needing }) => {
  // Commands do not depend on /etc/pve if no rule needs attributes; test/governance tests the others.
  const { call, exec } = useClient(node, { POLICY: 'open', ENABLE_HOST_EXEC: 'true' });
  afterEach(() => node.reset());

  async function list() {
    const result = await call('list_containers', {});
    expect(result.isError, result.text).toBe(false);
    const containers = z.array(item).parse(result.data.containers);
    expect(JSON.parse(result.text)).toEqual(containers);
    return containers;
  }
  const find = async (vmid: number) => (await list()).find((container) => container.vmid === vmid);
  const pveFile = async (path: string) => (await node.readInNode(`/etc/pve/${path}`)).toString('utf8');

  test('lists the containers of all nodes, without virtual machines and snapshot values', async () => {
    const here = { node: 'pve1', local: true, template: false, tags: [] };
    expect(await list()).toEqual([
      { ...here, vmid: CT.debian, status: 'running', name: 'debian', tags: ['rig', 'web'] },
      { ...here, vmid: CT.busybox, status: 'running', name: 'busybox' },
      { ...here, vmid: CT.stopped, status: 'stopped', name: 'stopped', tags: ['rig'] },
      { ...here, vmid: CT.locked, status: 'running', name: 'locked', lock: 'backup' },
      {
        ...here,
        vmid: CT.elsewhere,
        // Nothing connects to its node.
        status: 'unknown',
        reason: expect.stringContaining('pve2'),
        name: 'elsewhere',
        node: 'pve2',
        local: false,
        tags: ['rig', 'remote'],
      },
    ]);
  });

  test('shows what a program on the node has written to a configuration since the last list', async () => {
    const name = async () => (await find(CT.stopped))?.name;
    expect(await name()).toBe('stopped');
    const append = `echo 'hostname: renamed' >>/etc/pve/lxc/${CT.stopped}.conf`;
    expect(await call('host_exec_command', { command: append })).toMatchObject({ data: { exit_code: 0 } });
    node.countChange();
    expect(await name()).toBe('renamed');
  });

  test('prints a table as text', async () => {
    const { text } = await call('list_containers', { response_format: 'text' });
    expect(text).toMatch(/^VMID +STATUS +NAME +NODE +LOCK +TAGS\n/);
    expect(text).toMatch(new RegExp(`^${CT.locked} +running +locked +pve1 +backup +-$`, 'm'));
    expect(text).toMatch(new RegExp(`^${CT.elsewhere} +unknown +elsewhere +pve2 +- +rig,remote$`, 'm'));
  });

  test.each<[Record<string, unknown>, number[]]>([
    [{ tags: ['web'] }, [CT.debian]],
    [{ tags: ['web', 'REMOTE'] }, [CT.debian, CT.elsewhere]],
    [{ name: '*e*' }, [CT.debian, CT.stopped, CT.locked, CT.elsewhere]],
    [{ node: 'pve2' }, [CT.elsewhere]],
    [{ status: 'stopped' }, [CT.stopped]],
    [{ tags: ['rig'], status: 'running', node: 'pve1' }, [CT.debian]],
    [{ name: 'none' }, []],
  ])('selects by the filter %j', async (filter, vmids) => {
    const { data, text } = await call('list_containers', filter);
    expect(
      z
        .array(item)
        .parse(data.containers)
        .map(({ vmid }) => vmid),
    ).toEqual(vmids);
    expect(JSON.parse(text)).toEqual(data.containers);
    const table = await call('list_containers', { ...filter, response_format: 'text' });
    if (vmids.length === 0) expect(table.text).toBe('No container matches.');
    else expect(table.text.match(/^(?:VMID|\d+) .*$/gm)).toHaveLength(1 + vmids.length);
  });

  test('adds usage, addresses and operating system with details', async () => {
    const published = pveFixture('rrd');
    const now = String(Math.floor(Date.now() / 1000));
    onTestFinished(await node.setPve('.rrd', published.replaceAll('@NOW@', now)));
    // The rig's containers have no network, so the addresses of their configuration are shown.
    const [debian, busybox] = 'info' in node ? ['dhcp', '192.0.2.102'] : ['192.168.1.50', '192.168.1.50'];
    const { data } = await call('list_containers', { details: true });
    expect(data.containers).toMatchObject([
      {
        vmid: CT.debian,
        uptime_s: 3600,
        memory_bytes: 104857600,
        memory_max_bytes: 536870912,
        disk_bytes: 1073741824,
        disk_max_bytes: 8589934592,
        addresses: [debian],
        os: 'debian',
      },
      { vmid: CT.busybox, addresses: [busybox], os: 'unmanaged' },
      { vmid: CT.stopped, addresses: [] },
      { vmid: CT.locked },
      { vmid: CT.elsewhere, uptime_s: 7200 },
    ]);
    const { text } = await call('list_containers', { details: true, response_format: 'text' });
    expect(text).toMatch(/ +UPTIME +MEMORY +DISK +ADDRESSES +OS\n/);
    expect(text).toMatch(
      new RegExp(`^${CT.debian} .* 100 MB of 512 MB +1\\.0 GB of 8\\.0 GB +${debian} +debian$`, 'm'),
    );
  });

  needing('real lxc', 'shows the addresses that a running container has now, with details', async (rig) => {
    const pid = String(await rig.initPid(CT.debian));
    const ip = (change: string) =>
      execFileSync('nsenter', [
        ...['-t', pid, '-n', 'ip', 'address', change],
        ...['192.0.2.77/32', 'dev', 'lo'],
      ]);
    const addresses = async () => {
      const { containers } = (await call('list_containers', { details: true, tags: ['web'] })).data;
      return z.array(z.object({ addresses: z.array(z.string()) })).parse(containers);
    };
    expect(await addresses()).toEqual([{ addresses: ['dhcp'] }]);
    ip('add');
    try {
      expect(await addresses()).toEqual([{ addresses: ['192.0.2.77'] }]);
    } finally {
      ip('del');
    }
  });

  test('shows a change immediately', async () => {
    await node.ensureStarted(CT.stopped);
    expect((await find(CT.stopped))?.status).toBe('running');
    expect((await call('container_status', { vmid: CT.stopped })).data.status).toBe('running');
    await node.ensureStopped(CT.stopped);
    expect((await find(CT.stopped))?.status).toBe('stopped');
    expect((await call('container_status', { vmid: CT.stopped })).data.status).toBe('stopped');
  });

  test('ignores invalid lines of a configuration', async () => {
    const conf = await pveFile(`nodes/pve1/lxc/${CT.busybox}.conf`);
    await node.setConf(CT.busybox, `%%% junk\n${conf}hostname\n: : :\n\u0000\u0001[\n`);
    expect(await find(CT.busybox)).toMatchObject({ name: 'busybox', status: 'running' });
    expect(await list()).toHaveLength(5);
  });

  test('parses keys without a space, missing names and configurations, and templates', async () => {
    await node.setConf(CT.busybox, 'arch:amd64\nlock:fstrim\ntags:a;b\n');
    expect(await find(CT.busybox)).toMatchObject({
      name: `CT${CT.busybox}`,
      lock: 'fstrim',
      tags: ['a', 'b'],
    });
    // The list of containers is updated later.
    await node.setPve('.vmlist', await pveFile('.vmlist'));
    await node.setConf(CT.stopped, undefined);
    expect(await find(CT.stopped)).toMatchObject({ name: `CT${CT.stopped}`, status: 'stopped' });
    await node.setConf(CT.stopped, 'hostname: golden\ntemplate: 1\n');
    expect(await find(CT.stopped)).toMatchObject({ name: 'golden', template: true });
  });

  test('lists an empty cluster', async () => {
    await node.setPve('.vmlist', '{"version":3}');
    expect(await list()).toEqual([]);
    expect((await call('list_containers', { response_format: 'text' })).text).toBe(
      'There are no containers.',
    );
  });

  test('lists containers as unknown without published usage', async () => {
    const undo = await node.setPve('.rrd', '');
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

  test('returns state, node, lock and usage', async () => {
    const published = pveFixture('rrd');
    const now = String(Math.floor(Date.now() / 1000));
    const undo = await node.setPve('.rrd', published.replaceAll('@NOW@', now));
    onTestFinished(undo);
    expect((await call('container_status', { vmid: CT.debian })).data).toEqual({
      vmid: CT.debian,
      status: 'running',
      name: 'debian',
      node: 'pve1',
      local: true,
      lock: null,
      frozen: false,
      template: false,
      tags: ['rig', 'web'],
      uptime_s: 3600,
      usage_age_s: expect.any(Number),
      cpu: 0.0125,
      cpus: 2,
      memory_bytes: 104857600,
      memory_max_bytes: 536870912,
      disk_bytes: 1073741824,
      disk_max_bytes: 8589934592,
    });
    expect((await call('container_status', { vmid: CT.locked })).data).toMatchObject({ lock: 'backup' });
    expect((await call('container_status', { vmid: String(CT.elsewhere) })).data).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('pve2'),
      node: 'pve2',
      local: false,
      uptime_s: 7200,
    });
    const { text } = await call('container_status', { vmid: CT.debian, response_format: 'text' });
    expect(text).toMatch(/^Memory: +100 MB of 512 MB$/m);
  });

  test('reports a frozen container', async () => {
    const thaw = await node.freeze(CT.busybox);
    try {
      const { data } = await call('container_status', { vmid: CT.busybox });
      expect(data).toMatchObject({ status: 'running', frozen: true });
      expect((await call('container_status', { vmid: CT.debian })).data.frozen).toBe(false);
      const listed = await call('list_containers', {});
      expect(listed.data.containers).toContainEqual(
        expect.objectContaining({ vmid: CT.busybox, status: 'running', frozen: true }),
      );
      expect(listed.text.match(/"frozen"/g)).toHaveLength(1);
      const { text } = await call('list_containers', { response_format: 'text' });
      expect(text).toMatch(new RegExp(`^${CT.busybox} +running, frozen +`, 'm'));
    } finally {
      await thaw();
    }
  });

  test('reports an unknown VMID and a virtual machine', async () => {
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

  test('reports that pmxcfs is down, while commands still run', async () => {
    const undo = await node.pmxcfs('down');
    try {
      await expectUnavailable();
    } finally {
      await undo();
    }
  });

  test('reports cluster files that cannot be parsed', async () => {
    await node.setPve('.vmlist', `{"version":12,"ids":{"${CT.debian}":{"no`);
    expect(failureOf(await call('list_containers', {})).code).toBe('PMXCFS_UNAVAILABLE');
  });

  test('reports a hanging pmxcfs within 10 s, while commands still run', async () => {
    const undo = await node.pmxcfs('hangs');
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
      await undo();
    }
    expect((await call('list_containers', {})).isError).toBe(false);
  });
});
