import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { describeRig } from './require.ts';
import { CT } from './rig.ts';
import { run } from './run.ts';
import { until } from './until.ts';

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rig-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

describeRig('rig: the node', (rig) => {
  it('has the name, tools and users of a Proxmox VE node', async () => {
    expect((await rig.ssh('hostname; command -v pct; pveversion')).stdout).toMatch(
      /^pve1\n\/usr\/sbin\/pct\npve-manager\/9\./,
    );
    expect((await rig.ssh('sudo -n id -u', 'admin')).stdout).toBe('0\n');
    expect((await rig.ssh(`sudo -n /bin/sh -c 'pct status ${CT.debian}'`, 'operator')).stdout).toBe(
      'status: running\n',
    );
    expect(await rig.ssh('sudo -n true', 'operator')).toMatchObject({
      code: 1,
      stderr: 'sudo: a password is required\n',
    });
  });

  it('is isolated from the machine', async () => {
    const paths = ['/root/only-in-the-node', '/etc/only-in-the-node', '/var/lib/only-in-the-node'];
    for (const path of paths) {
      await rig.writeInNode(path, 'x');
      expect((await rig.readInNode(path)).toString(), path).toBe('x');
      expect(existsSync(path), path).toBe(false);
    }
    await rig.inNode(['rm', ...paths]);
    expect(existsSync(`/var/lib/lxc/${CT.debian}`)).toBe(false);
    expect(existsSync('/etc/ssh/rig')).toBe(false);
  });

  it('accepts root by password and by a key with a passphrase', async () => {
    // Without a terminal the client asks a program.
    const ask = join(temporaryDirectory(), 'ask');
    writeFileSync(ask, '#!/bin/sh\nprintf "%s\\n" "$SECRET"\n', { mode: 0o755 });
    const login = (SECRET: string, ...options: string[]) => {
      const env = { SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: 'force', SECRET };
      const always = ['-o', 'NumberOfPasswordPrompts=1', '-F', rig.info.paths.sshConfig];
      return run(['ssh', ...options, ...always, 'rig', 'id -un'], { env });
    };
    const { rootPassword, keys } = rig.info;
    const byPassword = ['-o', 'PubkeyAuthentication=no'];
    expect(await login(rootPassword, ...byPassword)).toMatchObject({ code: 0, stdout: 'root\n' });
    expect((await login('wrong', ...byPassword)).stderr).toContain('Permission denied');

    const byKey = ['-o', 'PasswordAuthentication=no', '-o', 'IdentityFile=none', '-i', keys.encrypted];
    const own = join(temporaryDirectory(), 'config');
    writeFileSync(own, `Host rig\n HostName 127.0.0.1\n Port ${rig.info.port}\n User root\n`);
    const known = `UserKnownHostsFile=${rig.info.paths.knownHosts}`;
    const env = { SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: 'force', SECRET: keys.passphrase };
    expect(await run(['ssh', '-F', own, '-o', known, ...byKey, 'rig', 'id -un'], { env })).toMatchObject({
      code: 0,
      stdout: 'root\n',
    });
  });

  it('publishes the cluster under /etc/pve', async () => {
    expect(JSON.parse((await rig.ssh('cat /etc/pve/.vmlist')).stdout)).toMatchObject({
      ids: { [CT.elsewhere]: { node: 'pve2', type: 'lxc' }, 100: { node: 'pve1', type: 'qemu' } },
    });
    expect(JSON.parse((await rig.ssh('cat /etc/pve/.members')).stdout)).toMatchObject({
      nodename: 'pve1',
      cluster: { quorate: 1 },
    });
    const { stdout: rrd } = await rig.ssh('cat /etc/pve/.rrd');
    expect(rrd).toMatch(new RegExp(`^pve-vm-9\\.0/${CT.elsewhere}:7200:elsewhere:running:0:\\d{10}:`, 'm'));
    expect(rrd.endsWith('\n\0')).toBe(true);
    expect((await rig.ssh('readlink /etc/pve/lxc /etc/pve/local')).stdout).toBe(
      'nodes/pve1/lxc\nnodes/pve1\n',
    );
    expect((await rig.ssh('cat /etc/pve/nodes/pve1/ssh_known_hosts')).stdout).toBe(
      `pve1 ${rig.info.hostKeys.rsa.public}\n`,
    );
  });

  it('has a small and a read-only disk', async () => {
    const full = await rig.ssh('head -c 2M /dev/zero > /mnt/rig-small/x');
    expect(full.stderr).toContain('No space left on device');
    expect((await rig.ssh('rm /mnt/rig-small/x; touch /mnt/rig-ro/x')).stderr).toContain(
      'Read-only file system',
    );
  });

  it('allows ten sessions per connection, and forwarding', async () => {
    const control = join(temporaryDirectory(), 'control');
    const [ssh, ...target] = rig.sshArgv();
    const master = spawn(ssh, ['-M', '-S', control, '-N', ...target]);
    onTestFinished(() => void master.kill());
    await until(() => existsSync(control));
    // A client that cannot connect by itself has no fallback.
    const session = (command: string) =>
      run([ssh, '-S', control, '-o', 'ProxyCommand=false', ...target, command]);
    // Not for a time, because on a busy machine the first would end before the last begins.
    const end = '/tmp/ten-may-end';
    const ten = Array.from({ length: 10 }, () => session(`until [ -e ${end} ]; do sleep 0.1; done`));
    await until(() => rig.nodePids().filter(({ cmdline }) => cmdline.includes(end)).length === 10);
    expect((await session('true')).stderr).toContain('Session open refused by peer');
    await rig.writeInNode(end, '');
    onTestFinished(async () => void (await rig.inNode(['rm', '-f', end])));
    expect((await Promise.all(ten)).map(({ code }) => code)).toEqual(Array(10).fill(0));

    const [, ...jump] = rig.sshArgv();
    const through = `ProxyCommand=ssh -F "${rig.info.paths.sshConfig}" -W 127.0.0.1:${rig.info.port} rig`;
    expect((await run([ssh, '-o', through, ...jump, 'echo through'])).stdout).toBe('through\n');
  });

  it('restarts sshd with other options on the same port, and back', async () => {
    const before = rig.sshdPid();
    const undo = await rig.restartSshd(['-o', 'Banner=/etc/debian_version']);
    try {
      expect(rig.sshdPid()).not.toBe(before);
      const [, ...target] = rig.sshArgv();
      // With `-q` the banner, which proves that the option works, would not be printed.
      expect((await run(['ssh', ...target, 'true'])).stderr).toMatch(/^\d+\.\d+/);
    } finally {
      await undo();
    }
    expect(await rig.ssh('true')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('drops connections while their commands continue', async () => {
    const lost = rig.ssh('exec sleep 600.5');
    const sleeping = () => rig.nodePids().filter(({ cmdline }) => cmdline === 'sleep 600.5');
    onTestFinished(() => {
      for (const { pid } of sleeping()) process.kill(pid);
    });
    await until(() => sleeping().length === 1);
    expect(rig.killSshConnections()).toBeGreaterThan(0);
    expect((await lost).code).toBe(255);
    expect(sleeping()).toHaveLength(1);
    expect(await rig.ssh('true')).toMatchObject({ code: 0 });
  });
});

describeRig('rig: the containers', (rig) => {
  it('are Debian with bash, busybox, a stopped one, a locked one and one on another node', async () => {
    const shell = 'command -v bash || echo none; cat /etc/debian_version 2>/dev/null | cut -c 1-3';
    expect((await rig.inContainer(CT.debian, ['sh', '-c', shell])).stdout).toBe('/usr/bin/bash\n12.\n');
    expect((await rig.inContainer(CT.busybox, ['sh', '-c', shell])).stdout).toBe('none\n');
    expect((await rig.inContainer(CT.debian, ['sudo', '-n', 'id', '-u'])).stdout).toBe('0\n');
    expect(rig.isRunning(CT.stopped)).toBe(false);
    expect(rig.isRunning(CT.locked)).toBe(true);
    expect(rig.isRunning(CT.elsewhere)).toBe(false);
  });

  it('have a command socket only while they run', async () => {
    const list = `sed -n 's,.*@/var/lib/lxc/\\(${String(CT.debian).slice(0, 3)}.\\)/command$,\\1,p' /proc/net/unix | sort -u`;
    expect((await rig.ssh(list)).stdout).toBe(`${CT.debian}\n${CT.busybox}\n${CT.locked}\n`);
    await rig.ensureStarted(CT.stopped);
    expect((await rig.ssh(list)).stdout).toBe(`${CT.debian}\n${CT.busybox}\n${CT.stopped}\n${CT.locked}\n`);
    await rig.ensureStopped(CT.stopped);
    expect((await rig.ssh(list)).stdout).toBe(`${CT.debian}\n${CT.busybox}\n${CT.locked}\n`);
  });

  it.each([CT.debian, CT.busybox])('%i has a small and a read-only disk', async (vmid) => {
    const full = await rig.inContainer(vmid, [
      'sh',
      '-c',
      'dd if=/dev/zero of=/mnt/small/x bs=65536 count=32; rm /mnt/small/x',
    ]);
    expect(full.stderr).toContain('No space left on device');
    expect((await rig.inContainer(vmid, ['touch', '/mnt/ro/x'])).stderr).toContain('Read-only file system');
  });

  it.each([CT.debian, CT.busybox])('%i has an init that reaps orphans', async (vmid) => {
    await rig.inContainer(vmid, ['sh', '-c', '(sleep 604 & sleep 605 &) >/dev/null 2>&1']);
    // Other tests on this rig may have left processes.
    const orphans = async () =>
      (await rig.containerProcesses(vmid, 'sleep 60')).filter(
        ({ comm, cmdline }) => comm === 'sleep' && /^sleep 60[45]$/.test(cmdline),
      );
    await until(async () => (await orphans()).length === 2);
    const pids = (await orphans()).map(({ pid }) => pid);
    for (const pid of pids) process.kill(pid);
    // A process that was not reaped is still listed, without its arguments.
    await until(async () => !(await rig.containerPids(vmid)).some(({ pid }) => pids.includes(pid)));
  });

  it('show their processes and environment to the machine', async () => {
    const running = rig.inContainer(CT.busybox, ['env', 'MARK=found', 'sleep', '607']);
    const sleeping = async () =>
      (await rig.containerProcesses(CT.busybox, 'sleep 607')).find(({ comm }) => comm === 'sleep');
    await until(async () => (await sleeping()) !== undefined);
    const pid = (await sleeping())?.pid ?? 0;
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')).toContain('MARK=found');
    expect(existsSync(`${await rig.rootfs(CT.busybox)}/mnt/small`)).toBe(true);
    process.kill(pid);
    expect((await running).code).toBe(128 + 15);
  });

  it("accept files byte for byte through the container's root directory", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await rig.writeInContainer(CT.busybox, '/tmp/bytes', bytes);
    expect(await rig.readInContainer(CT.busybox, '/tmp/bytes')).toEqual(bytes);
    await rig.inContainer(CT.busybox, ['rm', '/tmp/bytes']);
    await expect(rig.readInContainer(CT.busybox, '/tmp/bytes')).rejects.toThrow('No such file');
  });

  it('freeze: stay running and do not respond', async () => {
    const undo = await rig.freeze(CT.busybox);
    expect((await rig.inNode(['lxc-info', '-n', String(CT.busybox), '-s'])).stdout).toMatch(/FROZEN/);
    expect((await rig.ssh(`pct status ${CT.busybox}`)).stdout).toBe('status: running\n');
    // Without output: a process that hangs in the container would hold it open after the waiting process has ended.
    const attempt = `timeout -s KILL 1 lxc-attach -n ${CT.busybox} -- true > /dev/null 2>&1`;
    expect((await rig.inNode(['sh', '-c', attempt])).code).toBe(137);
    await undo();
    expect((await rig.inContainer(CT.busybox, ['true'])).code).toBe(0);
  });

  it('can run without a shell', async () => {
    const undo = await rig.startWithoutShell();
    for (const program of ['/bin/sh', 'sh', 'bash', 'cat']) {
      expect((await rig.inContainer(CT.stopped, [program])).code, program).toBe(127);
    }
    await undo();
    expect(rig.isRunning(CT.stopped)).toBe(false);
  });
});
