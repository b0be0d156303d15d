import { expect, it, onTestFinished } from 'vitest';
import { describeRig } from './require.ts';
import { CT } from './rig.ts';
import { until } from './until.ts';

/** Checks that the stand-in behaves as measured on a real node. The code that handles each wrong answer of pct documents it. */
describeRig('rig: pct read commands', (rig) => {
  it('list in columns of fixed width, with a blank lock', async () => {
    expect((await rig.ssh('pct list')).stdout).toBe(
      [
        'VMID       Status     Lock         Name                ',
        `${CT.debian}       running                 debian              `,
        `${CT.busybox}       running                 busybox             `,
        `${CT.stopped}       stopped                 stopped             `,
        `${CT.locked}       running    backup       locked              `,
        '',
      ].join('\n'),
    );
  });

  it('warn of a junk line on stderr and continue', async () => {
    onTestFinished(await rig.setConf(CT.stopped, 'hostname: stopped\njunk\n'));
    const listed = await rig.ssh('pct list');
    expect(listed).toMatchObject({ code: 0, stderr: `vm ${CT.stopped} - unable to parse config: junk\n` });
    expect(listed.stdout).toContain(`${CT.stopped}       stopped`);
  });

  it('print the status, with details on request', async () => {
    expect((await rig.ssh(`pct status ${CT.stopped}`)).stdout).toBe('status: stopped\n');
    const { stdout } = await rig.ssh(`pct status ${CT.debian} --verbose`);
    const keys = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/:.*/, ''));
    expect(keys).toEqual([...keys].sort());
    expect(keys).toEqual(expect.arrayContaining(['cpus', 'maxmem', 'mem', 'pid', 'swap', 'tags', 'uptime']));
    expect(stdout).toContain(`\npid: ${await rig.initPid(CT.debian)}\n`);
  });

  it('print the current configuration only, sorted, with the description encoded and lxc lines last', async () => {
    const lines = (await rig.ssh(`pct config ${CT.debian}`)).stdout.trimEnd().split('\n');
    expect(lines).toContain('hostname: debian');
    expect(lines).toContain(
      'description: Web server of the test rig%3A Debian, with bash.%0ASecond line, 100%25 ordinary.%0A',
    );
    expect(lines.at(-1)).toBe('lxc.apparmor.profile: unconfined');
    expect(lines.join()).not.toContain('debian-old');
    expect(lines.slice(0, -1)).toEqual(lines.slice(0, -1).sort());
  });

  it('end the snapshot tree with the current state, even without snapshots', async () => {
    expect((await rig.ssh(`pct listsnapshot ${CT.debian}`)).stdout).toMatch(
      /^`-> before-upgrade .*\n `-> current .*You are here!\n$/,
    );
    expect((await rig.ssh(`pct listsnapshot ${CT.busybox}`)).stdout).toMatch(
      /^`-> current .*You are here!\n$/,
    );
  });

  it.each([CT.elsewhere, CT.unknown])('do not know %s: no such container on this node', async (vmid) => {
    for (const verb of ['status', 'config', 'exec', 'start']) {
      const outcome = await rig.ssh(`pct ${verb} ${vmid}${verb === 'exec' ? ' -- true' : ''}`);
      expect(outcome.stderr, verb).toBe(`Configuration file 'nodes/pve1/lxc/${vmid}.conf' does not exist\n`);
      expect([2, 255], verb).toContain(outcome.code);
    }
  });

  it('refuse invalid parameters and non-root users', async () => {
    const bad = await rig.ssh('pct status abc');
    expect(bad.code).toBe(2);
    expect(bad.stderr).toMatch(/^400 Parameter verification failed\.\n/);
    const notRoot = await rig.ssh('/usr/sbin/pct list', 'admin');
    expect(notRoot.code).toBe(255);
    expect(notRoot.stderr).toContain('ipcc_send_rec[1] failed: Unknown error -1');
    expect(notRoot.stderr).toContain('Unable to load access control list');
  });

  it('take as long as the real pct on request', async () => {
    const undo = await rig.slowPct();
    const started = Date.now();
    await rig.inNode(['pct', 'status', `${CT.debian}`]);
    expect(Date.now() - started).toBeGreaterThan(650);
    await undo();
  });
});

describeRig('rig: pct exec', (rig) => {
  it('passes through codes and arguments', async () => {
    expect((await rig.ssh(`pct exec ${CT.debian} -- bash -c 'exit 3'`)).code).toBe(3);
    expect((await rig.ssh(`pct exec ${CT.debian} -- bash -c 'kill -9 $$; true'`)).code).toBe(137);
    const missing = await rig.ssh(`pct exec ${CT.busybox} -- bash -c true`);
    expect(missing.code).toBe(127);
    expect(missing.stderr).toContain('Failed to exec "bash"');
    expect((await rig.ssh(`pct exec ${CT.busybox} -- printf '[%s]' 'a b' '' '$x;"'`)).stdout).toBe(
      '[a b][][$x;"]',
    );
  });

  it('refuses a stopped container with 255, and takes no lock', async () => {
    expect(await rig.ssh(`pct exec ${CT.stopped} -- true`)).toEqual({
      code: 255,
      stdout: '',
      stderr: `container '${CT.stopped}' not running!\n`,
    });
    expect((await rig.ssh(`pct exec ${CT.locked} -- true`)).code).toBe(0);
  });

  it('passes on the environment of ssh, unless told otherwise', async () => {
    const leaked = (await rig.ssh(`FOO=bar SSL_CERT_DIR=x pct exec ${CT.busybox} -- env`)).stdout;
    expect(leaked).toMatch(/^FOO=bar$/m);
    expect(leaked).toMatch(/^SSH_CONNECTION=/m);
    expect(leaked).toMatch(/^PATH=\/sbin:\/bin:\/usr\/sbin:\/usr\/bin$/m);
    expect(leaked).not.toContain('SSL_CERT_DIR');
    const clean = (await rig.ssh(`FOO=bar pct exec ${CT.busybox} --keep-env 0 -- env`)).stdout;
    expect(clean).not.toMatch(/^(FOO|SSH_CONNECTION|HOME|LANG)=/m);
    expect(clean).toMatch(/^PATH=.*\/usr\/local\/bin/m);
  });

  it('ignores SIGPIPE in its command', async () => {
    const { stdout } = await rig.ssh(`pct exec ${CT.debian} -- sh -c 'grep SigIgn /proc/self/status'`);
    const ignored = Number.parseInt(stdout.replace(/^SigIgn:\s*/, ''), 16);
    expect(ignored & (1 << 12)).not.toBe(0);
  });
});

describeRig('rig: pct push and pull', (rig) => {
  const inCt = (vmid: number, script: string) => rig.inContainer(vmid, ['sh', '-c', script]);

  it('copy an existing file with mode 644', async () => {
    expect(
      (await rig.ssh(`umask 077; echo content > /tmp/from; pct push ${CT.busybox} /tmp/from /tmp/to`)).code,
    ).toBe(0);
    expect((await inCt(CT.busybox, 'cat /tmp/to; stat -c %a /tmp/to; rm /tmp/to')).stdout).toBe(
      'content\n644\n',
    );
    expect((await rig.ssh(`pct pull ${CT.busybox} /etc/passwd /tmp/back; head -c 4 /tmp/back`)).stdout).toBe(
      'root',
    );
  });

  it('push gives a new file to the owner as seen in an unprivileged container', async () => {
    const push = (options: string) =>
      rig.ssh(`echo content > /tmp/from; pct push ${CT.debian} /tmp/from /tmp/owned ${options}`);
    const owner = async () =>
      (await inCt(CT.debian, 'stat -c %u:%g:%U /tmp/owned; rm /tmp/owned')).stdout.trim();
    expect((await push('')).stderr).toBe('');
    expect(await owner()).toBe('0:0:root');
    expect((await push('--user 33 --group www-data')).stderr).toBe('');
    expect(await owner()).toBe('33:33:www-data');
    // Not mapped.
    expect((await push('--user 70000')).code).toBe(0);
    expect(await owner()).toBe('0:0:root');
    expect(
      (await rig.ssh(`pct pull ${CT.debian} /etc/shadow /tmp/back; stat -c %u:%g /tmp/back`)).stdout,
    ).toBe('0:0\n');
  });

  it('push exits with 0 when the source or the destination directory is missing', async () => {
    expect((await rig.ssh(`pct push ${CT.busybox} /tmp/no-such-file /tmp/to`)).code).toBe(0);
    expect((await inCt(CT.busybox, 'test -e /tmp/to')).code).toBe(1);
    expect((await rig.ssh(`pct push ${CT.busybox} /etc/hostname /no/such/dir/to`)).code).toBe(0);
    expect((await rig.ssh(`pct push ${CT.busybox} /etc/hostname /tmp`)).code).toBe(0);
    expect((await rig.ssh(`pct push ${CT.busybox} /etc/hostname /mnt/ro/to`)).code).toBe(0);
  });

  it('push exits with 0 and a short file on a full disk', async () => {
    const pushed = await rig.ssh(
      `head -c 3M /dev/zero > /tmp/big; pct push ${CT.busybox} /tmp/big /mnt/small/big; echo $?`,
    );
    expect(pushed).toEqual({ code: 0, stdout: '0\n', stderr: '' });
    const size = Number((await inCt(CT.busybox, 'stat -c %s /mnt/small/big; rm /mnt/small/big')).stdout);
    expect(size).toBeGreaterThan(0);
    expect(size).toBeLessThan(3 * 1024 * 1024);
  });

  it('pull exits with 0 and has truncated the destination when the source is missing', async () => {
    const { stdout } = await rig.ssh(
      `echo old > /tmp/back; pct pull ${CT.busybox} /no/such/file /tmp/back; echo $?; stat -c %s /tmp/back`,
    );
    expect(stdout).toBe('0\n0\n');
  });

  it('pull exits with 0 and a short file on a full disk of the node, and an empty one for a directory', async () => {
    await inCt(CT.busybox, 'head -c 3145728 /dev/zero > /tmp/big');
    const short = await rig.ssh(
      `pct pull ${CT.busybox} /tmp/big /mnt/rig-small/big; echo $?; stat -c %s /mnt/rig-small/big; rm /mnt/rig-small/big`,
    );
    const [code, size] = short.stdout.split('\n').map(Number);
    expect(code).toBe(0);
    expect(size).toBeLessThan(3 * 1024 * 1024);
    expect((await rig.ssh(`pct pull ${CT.busybox} /etc /tmp/dir; echo $?; stat -c %s /tmp/dir`)).stdout).toBe(
      '0\n0\n',
    );
    await inCt(CT.busybox, 'rm /tmp/big');
  });

  it('refuse only a stopped container', async () => {
    expect(await rig.ssh(`pct push ${CT.stopped} /etc/hostname /tmp/x`)).toMatchObject({
      code: 255,
      stderr: 'can only push files to a running CT\n',
    });
    const pulled = await rig.ssh(`pct pull ${CT.stopped} /etc/hostname /tmp/x`);
    expect(pulled.code).toBe(255);
    expect(pulled.stderr).toMatch(/^can only pull files from a running VM/);
  });

  it('wait 10.7 s for the lock of another operation, then give up', async () => {
    onTestFinished(await rig.holdConfigLock(CT.busybox));
    const started = Date.now();
    const outcome = await rig.ssh(`pct push ${CT.busybox} /etc/hostname /tmp/x`);
    expect(outcome.stderr).toContain(
      `can't lock file '/run/lock/lxc/pve-config-${CT.busybox}.lock' - got timeout`,
    );
    expect([4, 255]).toContain(outcome.code);
    expect(Date.now() - started).toBeGreaterThan(10_500);
  });
});

describeRig('rig: pct life cycle', (rig) => {
  it('starts, shuts down and stops', async () => {
    expect(await rig.ssh(`pct start ${CT.stopped}`)).toMatchObject({ code: 0, stderr: '' });
    expect(rig.isRunning(CT.stopped)).toBe(true);
    expect(await rig.ssh(`pct start ${CT.stopped}`)).toMatchObject({
      code: 255,
      stderr: `CT ${CT.stopped} already running\n`,
    });
    expect(await rig.ssh(`pct shutdown ${CT.stopped} --timeout 5`)).toMatchObject({ code: 0, stderr: '' });
    expect(rig.isRunning(CT.stopped)).toBe(false);
    expect(await rig.ssh(`pct shutdown ${CT.stopped}`)).toMatchObject({
      code: 255,
      stderr: `CT ${CT.stopped} not running\n`,
    });
    expect((await rig.ssh(`pct start ${CT.stopped} && pct stop ${CT.stopped}`)).code).toBe(0);
    expect(await rig.ssh(`pct stop ${CT.stopped}`)).toMatchObject({
      code: 255,
      stderr: `CT ${CT.stopped} not running\n`,
    });
  });

  it('refuses stop and shutdown of a locked container until it is unlocked', async () => {
    for (const verb of ['stop', 'shutdown']) {
      expect(await rig.ssh(`pct ${verb} ${CT.locked}`), verb).toMatchObject({
        code: 255,
        stderr: 'CT is locked (backup)\n',
      });
    }
    expect(rig.isRunning(CT.locked)).toBe(true);
    await rig.ensureStopped(CT.locked);
    expect(await rig.ssh(`pct start ${CT.locked}`)).toMatchObject({
      code: 255,
      stderr: 'CT is locked (backup)\n',
    });
    expect((await rig.ssh(`pct unlock ${CT.locked} && pct start ${CT.locked}`)).code).toBe(0);
    await rig.reset();
    expect((await rig.ssh('pct list')).stdout).toContain(`${CT.locked}       running    backup`);
  });

  it('takes 2T + 5 s for an ignored shutdown, and leaves the container running', async () => {
    onTestFinished(await rig.ignoreShutdown(CT.busybox));
    const started = Date.now();
    const outcome = await rig.ssh(`pct shutdown ${CT.busybox} --timeout 1`);
    const took = Date.now() - started;
    expect(outcome.code).toBe(255);
    expect(outcome.stderr).toContain('container did not stop');
    expect(took).toBeGreaterThan(6900);
    expect(took).toBeLessThan(12_000);
    expect(rig.isRunning(CT.busybox)).toBe(true);
    expect((await rig.ssh(`pct shutdown ${CT.busybox} --timeout 1 --forceStop 1`)).code).toBe(0);
    expect(rig.isRunning(CT.busybox)).toBe(false);
    await rig.ensureStarted(CT.busybox);
  });

  it('continues when the connection is lost', async () => {
    const undo = await rig.ignoreShutdown(CT.busybox);
    const lost = rig.ssh(`pct shutdown ${CT.busybox} --timeout 1 --forceStop 1`);
    await until(() => rig.nodePids().some(({ cmdline }) => cmdline.startsWith(`lxc-stop -n ${CT.busybox}`)));
    rig.killSshConnections();
    expect((await lost).code).toBe(255);
    await until(() => !rig.isRunning(CT.busybox));
    await undo();
    await rig.ensureStarted(CT.busybox);
  });
});
