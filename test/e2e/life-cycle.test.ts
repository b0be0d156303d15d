import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { failureOf, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

const vmid = CT.stopped;

describeNode('start and stop', [], (rig, { needing }) => {
  const { call } = useClient(rig);
  const start = (id: number = vmid) => call('start_container', { vmid: id });
  const stop = (more: object = {}, id: number = vmid) => call('stop_container', { vmid: id, ...more });
  afterEach(() => rig.reset());

  test('returns when the container runs or is stopped', async () => {
    const started = await start();
    expect(rig.isRunning(vmid)).toBe(true);
    expect(started.data).toMatchObject({
      success: true,
      vmid,
      changed: true,
      message: expect.stringContaining('running'),
    });
    // The rig's containers have no network.
    // The rig's containers have no network.
    const addresses = 'info' in rig ? undefined : [expect.stringMatching(/^[\d.]+\/24 eth0$/)];
    for (const { data } of [started, await start()]) expect(data.addresses).toEqual(addresses);
    const stopped = await stop();
    expect(rig.isRunning(vmid)).toBe(false);
    expect(stopped.data).toMatchObject({ success: true, vmid, changed: true, how: 'shutdown' });
  });

  test('reports success without a change when the container is already in the requested state', async () => {
    expect((await stop()).data).toMatchObject({ success: true, vmid, changed: false });
    expect((await stop({ force: true })).data).toMatchObject({ success: true, vmid, changed: false });
    await rig.ensureStarted(vmid);
    const init = await rig.initPid(vmid);
    expect((await start()).data).toMatchObject({ success: true, vmid, changed: false });
    expect(await rig.initPid(vmid)).toBe(init);
    // A lock has no effect then, either.
    expect((await start(CT.locked)).data).toMatchObject({ success: true, changed: false });
  });

  test('succeeds for ten concurrent starts', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => start()));
    for (const result of results) expect(result.data, result.text).toMatchObject({ success: true });
    expect(rig.isRunning(vmid)).toBe(true);
  });

  test('kills a guest that ignores the shutdown request after the timeout, in less than 28 s by default', async () => {
    await rig.ignoreShutdown(vmid);
    await rig.slowPct();
    await rig.ensureStarted(vmid);
    const since = performance.now();
    const result = await stop();
    expect(result.data).toMatchObject({
      success: true,
      changed: true,
      how: 'killed',
      message: expect.stringContaining('within its timeout of 10 s and was killed'),
    });
    expect(performance.now() - since).toBeLessThan(28_000);
    expect(performance.now() - since).toBeGreaterThan(10_000);
    expect(rig.isRunning(vmid)).toBe(false);
    // Its lock is free again: it can be started at once.
    expect((await start()).data).toMatchObject({ success: true, changed: true });
  });

  test('kills immediately with force', async () => {
    await rig.ignoreShutdown(vmid);
    await rig.ensureStarted(vmid);
    const since = performance.now();
    const result = await stop({ force: true, timeout: 60 });
    expect(result.data).toMatchObject({ success: true, changed: true, how: 'killed' });
    expect(performance.now() - since).toBeLessThan(30_000);
    expect(rig.isRunning(vmid)).toBe(false);
  });

  test('refuses a locked container and names the lock', async () => {
    for (const result of [await stop({}, CT.locked), await stop({ force: true }, CT.locked)]) {
      expect(failureOf(result)).toMatchObject({
        code: 'CONTAINER_LOCKED',
        error: expect.stringContaining('(backup)'),
        suggestion: expect.stringContaining('pct unlock'),
      });
    }
    expect(rig.isRunning(CT.locked)).toBe(true);
    await rig.setConf(vmid, 'hostname: stopped\nlock: migrate\n');
    expect(failureOf(await start())).toMatchObject({
      code: 'CONTAINER_LOCKED',
      error: expect.stringContaining('lock: migrate'),
    });
    expect(rig.isRunning(vmid)).toBe(false);
  });

  test.each([
    ['on a node that cannot be used', CT.elsewhere, 'SSH_UNREACHABLE', 'pve2'],
    ['unknown', CT.unknown, 'CONTAINER_NOT_FOUND', 'proxmox_list_containers'],
    ['a virtual machine', 100, 'NOT_A_CONTAINER', 'virtual machine'],
  ])('refuses a container that is %s, with the next step', async (_what, id, code, words) => {
    for (const result of [await start(id), await stop({}, id), await stop({ force: true }, id)]) {
      const failure = failureOf(result);
      expect(failure.code).toBe(code);
      expect(`${failure.error} ${failure.suggestion}`).toContain(words);
    }
  });

  test('refuses a template', async () => {
    await rig.setConf(vmid, 'hostname: stopped\ntemplate: 1\n');
    expect(failureOf(await start()).code).toBe('CONTAINER_IS_TEMPLATE');
  });

  needing('real lxc', 'reports a failed start with the message of pct', async (rig) => {
    const config = join(rig.info.paths.lxc, String(vmid), 'config');
    const before = readFileSync(config);
    writeFileSync(config, `${before}lxc.mount.entry = /no-such-directory-e2e mnt none bind 0 0\n`);
    try {
      const result = await start();
      expect(failureOf(result)).toMatchObject({
        code: 'PCT_FAILED',
        error: expect.stringContaining('startup'),
      });
      expect(rig.isRunning(vmid)).toBe(false);
    } finally {
      writeFileSync(config, before);
    }
  });

  needing(
    'real lxc',
    'does not mistake the remains of a failed start for a running container',
    async (rig) => {
      const pct = await rig.readInNode('/usr/sbin/pct');
      // The command socket stays open for half a second after pct has failed, as LXC's monitor may keep it.
      const lingering = `socket my $s, AF_UNIX, SOCK_STREAM, 0; bind $s, pack_sockaddr_un("\\0/var/lib/lxc/${vmid}/command");`;
      await rig.writeInNode(
        '/usr/sbin/pct',
        [
          '#!/usr/bin/perl',
          'use Socket;',
          `${lingering} listen $s, 1;`,
          'if (!fork) { close STDOUT; close STDERR; select undef, undef, undef, 0.5; exit }',
          `print STDERR "startup for container '${vmid}' failed\\n"; exit 255;`,
          '',
        ].join('\n'),
      );
      try {
        expect(failureOf(await start())).toMatchObject({ code: 'PCT_FAILED' });
      } finally {
        await rig.writeInNode('/usr/sbin/pct', pct);
      }
    },
  );

  needing(
    'real lxc',
    'waits for the container when pct only queues the request, as under HA',
    async (rig) => {
      const pct = await rig.readInNode('/usr/sbin/pct');
      await rig.writeInNode(
        '/usr/sbin/pct',
        `#!/bin/sh\n(sleep 1; rig-lxc-start ${vmid}) >/dev/null 2>&1 &\n`,
      );
      try {
        expect((await start()).data).toMatchObject({ success: true, changed: true });
        expect(rig.isRunning(vmid)).toBe(true);
      } finally {
        await rig.writeInNode('/usr/sbin/pct', pct);
      }
    },
  );
});

describeNode('start and stop while another operation locks the configuration', [], (rig) => {
  const { call } = useClient(rig);
  afterEach(() => rig.reset());

  test('give up when pct does, without a kill, whatever their own timeout', async () => {
    await rig.slowPct();
    const stopping = [CT.debian, CT.busybox];
    const inits = await Promise.all(stopping.map((id) => rig.initPid(id)));
    const locks = await Promise.all([vmid, ...stopping].map((id) => rig.holdConfigLock(id)));
    try {
      const results = await Promise.all([
        call('start_container', { vmid }),
        call('stop_container', { vmid: CT.debian, timeout: 1 }),
        call('stop_container', { vmid: CT.busybox, force: true }),
      ]);
      for (const result of results) {
        expect(failureOf(result)).toMatchObject({
          code: 'CONTAINER_LOCKED',
          error: expect.stringContaining('Another operation'),
        });
      }
    } finally {
      for (const release of locks) await release();
    }
    expect(rig.isRunning(vmid)).toBe(false);
    expect(await Promise.all(stopping.map((id) => rig.initPid(id)))).toEqual(inits);
  });

  test('wait for the lock, and then give the guest its full timeout', async () => {
    await rig.ignoreShutdown(vmid);
    await rig.ensureStarted(vmid);
    const release = await rig.holdConfigLock(vmid);
    setTimeout(() => void release(), 2_000);
    const since = performance.now();
    const result = await call('stop_container', { vmid, timeout: 2 });
    expect(result.data).toMatchObject({ success: true, how: 'killed' });
    expect(performance.now() - since).toBeGreaterThan(4_000);
  });
});
