import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { inspectionData } from '../../src/tools/shared/inspection-output.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

const PAUSE_MS = 60_000;

describeNode('inspect', [], (node, { needing }) => {
  const { call, exec } = useClient(node, { POLICY: 'open' });
  afterEach(() => node.reset());

  async function inspect(args: Record<string, unknown>) {
    const { data, text, isError } = await call('inspect_containers', args);
    expect(isError, text).toBe(false);
    const report = inspectionData.parse(data);
    const row = (vmid: number) => {
      const found = report.containers.find((each) => each.vmid === vmid);
      if (found === undefined) throw new Error(`no row for ${vmid}: ${text}`);
      return found;
    };
    return { ...report, row, text };
  }

  test('returns a row for each running container, and a reason for each other one', async () => {
    const { containers, skipped, text, time, survivors } = await inspect({});
    expect(containers.map(({ vmid }) => vmid)).toEqual(
      expect.arrayContaining([CT.debian, CT.busybox, CT.locked]),
    );
    expect(skipped).toContainEqual(
      expect.objectContaining({ vmid: CT.stopped, code: 'CONTAINER_NOT_RUNNING' }),
    );
    const debian = containers.find(({ vmid }) => vmid === CT.debian);
    expect(debian).toMatchObject({ name: 'debian', state: 'running', incomplete: null });
    expect(debian?.system?.os).toMatch(/^Debian GNU\/Linux 1[23]/);
    expect(debian?.memory?.used_bytes).toBeGreaterThan(0);
    expect(debian?.disk?.mounts[0]?.path).toMatch(/^\//);
    expect(survivors).toEqual([]);
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(PAUSE_MS);
    expect(text).toMatch(/^VMID +NAME +OS +UP +MEMORY +DISK +SERVICES +PROBLEMS$/m);
    expect(text).toMatch(new RegExp(`^${CT.busybox} +busybox +`, 'm'));
  });

  test('selects containers by name and tag', async () => {
    expect((await inspect({ tags: ['web'] })).containers.map(({ vmid }) => vmid)).toEqual([CT.debian]);
    expect((await inspect({ name: 'busy*' })).containers.map(({ vmid }) => vmid)).toEqual([CT.busybox]);
  });

  test('finds a full disk', async () => {
    await exec(CT.debian, 'head -c 2000000 /dev/zero >/mnt/small/full');
    const { row, text } = await inspect({ vmids: [CT.debian], sections: ['disk'] });
    const mount = row(CT.debian).disk?.mounts.find(({ path }) => path === '/mnt/small');
    expect(mount).toMatchObject({ use_percent: 100, size_bytes: 1024 ** 2 });
    expect(row(CT.debian).problems).toContain('disk /mnt/small 100 % full');
    expect(text).toMatch(new RegExp(`^${CT.debian} +mount +100 % of 1.0 MB +/mnt/small`, 'm'));
  });

  test('finds the largest directories and files', async () => {
    const folder = '/var/lib/app with space';
    await exec(
      CT.busybox,
      `mkdir -p "${folder}"; head -c 21000000 /dev/zero >"${folder}/a file"; echo x >/var/lib/small`,
    );
    onTestFinished(async () => void (await node.inContainer(CT.busybox, ['rm', '-rf', folder])));
    const { disk } = (await inspect({ vmids: [CT.busybox], sections: ['disk'] })).row(CT.busybox);
    expect(disk?.largest_files?.map(({ path }) => path)).toEqual([`${folder}/a file`]);
    expect(disk?.largest_files?.[0]?.bytes).toBeGreaterThanOrEqual(21_000_000);
    expect(disk?.largest_directories?.[0]?.path).toBe(folder);
    expect(disk?.search_incomplete).toBe(false);
  });

  test("reports a frozen container from the kernel's data, without a delay", async () => {
    const thaw = await node.freeze(CT.busybox);
    onTestFinished(() => thaw());
    const { row, survivors, text } = await inspect({
      vmids: [CT.debian, CT.busybox],
      sections: ['system', 'memory', 'disk', 'network', 'services'],
    });
    const reasons = row(CT.busybox).not_checked.map(({ section, reason }) => `${section}: ${reason}`);
    expect(reasons).toEqual(
      ['system', 'disk', 'services'].map((section) => expect.stringMatching(`^${section}: It is frozen`)),
    );
    expect(text.match(/frozen.*/g)).toEqual(['frozen (not read: system, disk, services)']);
    expect(row(CT.busybox).network?.ports).toEqual([]);
    expect(text).toMatch(new RegExp(`^${CT.busybox} +ports +none`, 'm'));
    expect(row(CT.busybox)).toMatchObject({ state: 'frozen', problems: ['frozen'] });
    expect(row(CT.busybox).incomplete).toContain('frozen');
    expect(row(CT.busybox).memory?.used_bytes).toBeGreaterThan(0);
    expect(row(CT.debian)).toMatchObject({ state: 'running', incomplete: null });
    expect(survivors).toEqual([]);
  });

  /** Replaces a program of the container by a script until the test is over. */
  async function replaceProgram(vmid: number, name: string, script: string): Promise<void> {
    const file = `/usr/local/bin/${name}`;
    onTestFinished(async () => void (await node.inContainer(vmid, ['rm', '-f', file])));
    await node.inContainer(vmid, ['mkdir', '-p', '/usr/local/bin']);
    await node.writeInContainer(vmid, file, `#!/bin/sh\n${script}\n`);
    await node.inContainer(vmid, ['chmod', '755', file]);
  }

  test('abandons a hanging container, kills its processes and reports the others', async () => {
    await replaceProgram(CT.debian, 'df', 'trap "" TERM\nsleep 987654\n:');
    const { row, survivors, text } = await inspect({ vmids: [CT.debian, CT.busybox] });
    expect(row(CT.busybox).incomplete).toBeNull();
    expect(row(CT.debian).incomplete).toMatch(/did not answer in time/);
    // What came before is there.
    expect(row(CT.debian).system?.os).toMatch(/^Debian/);
    expect(survivors, text).toEqual([]);
    expect(await node.containerProcesses(CT.debian, '987654')).toEqual([]);
    expect(await node.containerProcesses(CT.debian, '/usr/local/bin/df')).toEqual([]);
  });

  test('also kills a process that left its session and cleared its environment', async () => {
    await replaceProgram(CT.debian, 'df', 'setsid env -i sleep 765432 &\nsleep 765433\n:');
    const { row, survivors } = await inspect({ vmids: [CT.debian] });
    expect(row(CT.debian).incomplete).toMatch(/did not answer in time/);
    expect(survivors).toEqual([]);
    expect(await node.containerProcesses(CT.debian, '76543')).toEqual([]);
  });

  test('kills the processes of a cancelled call', async () => {
    await replaceProgram(CT.debian, 'df', 'sleep 876543\n:');
    const controller = new AbortController();
    const cancelled = call('inspect_containers', { vmids: [CT.debian] }, { signal: controller.signal });
    cancelled.catch(() => {});
    await until(async () => (await node.containerProcesses(CT.debian, '876543')).length > 0);
    controller.abort();
    await until(async () => (await node.containerProcesses(CT.debian, '876543')).length === 0);
    await expect(cancelled).rejects.toThrow();
  });

  test('truncates the output of a container that floods, and reports the others', async () => {
    await replaceProgram(CT.debian, 'df', 'while :; do echo "none 1 1 1 1% /flood"; done');
    const { row, text, survivors } = await inspect({ vmids: [CT.debian, CT.busybox] });
    expect(row(CT.debian).disk?.mounts.length).toBeLessThanOrEqual(20);
    expect(row(CT.busybox).incomplete).toBeNull();
    expect(text.length).toBeLessThan(10_000);
    expect(survivors).toEqual([]);
    expect(await node.containerProcesses(CT.debian, '/usr/local/bin/df')).toEqual([]);
  });

  test('keeps hostile output of a container on one line in its row', async () => {
    const forged = `${CT.busybox}  evil  \u001b[2J\u200b`;
    const release = `NAME=x\nPRETTY_NAME="${CT.busybox} forged\tOS \u001b]0;t\u0007"\n`;
    await replaceProgram(
      CT.debian,
      'df',
      `echo 'none 100 99 1 99% /a b  c'; echo 'none 99 99 1 99% /m ${forged}'`,
    );
    await replaceProgram(
      CT.debian,
      'head',
      `case $* in *release*) printf %s '${release}';; *) exec /usr/bin/head "$@";; esac`,
    );
    const { text, row, containers } = await inspect({ vmids: [CT.debian, CT.busybox] });
    expect(containers).toHaveLength(2);
    const lines = text.split('\n').filter((line) => line.startsWith(String(CT.busybox)));
    expect(lines[0]).toMatch(new RegExp(`^${CT.busybox} +busybox`));
    expect(lines.join()).not.toMatch(/evil|forged/);
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\u200b');
    expect(row(CT.debian).system?.os).toContain('forged');
    expect(row(CT.debian).disk?.mounts.map(({ path }) => path)).toContain('/a b  c');
  });

  test('lists processes by memory, and names with blanks and newlines on one line', async () => {
    await exec(
      CT.debian,
      `printf '#!/bin/sh\\nsleep 345678\\n:\\n' >'/tmp/a b\nc'; chmod 755 '/tmp/a b\nc'; '/tmp/a b\nc' >/dev/null 2>&1 </dev/null &`,
    );
    onTestFinished(
      async () => void (await node.inContainer(CT.debian, ['sh', '-c', 'pkill -f 345678; rm -f /tmp/a*'])),
    );
    // The command has started it, but it may not yet have replaced the shell.
    await until(async () =>
      (await node.containerProcesses(CT.debian, '345678')).some(({ comm }) => comm === 'sleep'),
    );
    const { row, text } = await inspect({ vmids: [CT.debian], sections: ['processes'] });
    const { processes } = row(CT.debian);
    expect(processes?.count).toBeGreaterThanOrEqual(2);
    expect(processes?.top_memory.some(({ command }) => command.includes('345678'))).toBe(true);
    const own = processes?.top_memory.find(({ command }) => command.includes('/tmp/a'));
    expect(own?.command).toContain('a b<U+000A>c');
    expect(text).toMatch(/^PROCESSES \(memory/m);
  });

  test('names the processes with most memory, and the overview only those of a container that is short of it', async () => {
    const { row, text } = await inspect({ vmids: [CT.debian, CT.busybox], sections: ['memory'] });
    const [top] = row(CT.debian).memory?.top_processes ?? [];
    expect(top?.bytes).toBeGreaterThan(0);
    expect(text).toMatch(new RegExp(`^${CT.debian} .* ${top?.process} [\\d.]+ [KM]B \\(${top?.pid}\\)`, 'm'));
    const overview = await inspect({ vmids: [CT.debian] });
    expect(overview.row(CT.debian).memory).not.toHaveProperty('top_processes');
    expect(overview.text).not.toMatch(/^MEMORY/m);
  });

  test('redacts secrets in command lines, also where a command line is cut', async () => {
    const token = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz';
    const word = 'w'.repeat(60);
    await exec(
      CT.debian,
      `sh -c 'sleep 456789; :' x --password=geheim7 ${token} >/dev/null 2>&1 </dev/null & sh -c 'sleep 456790; :' ${word} ${token} >/dev/null 2>&1 </dev/null &`,
    );
    onTestFinished(
      async () => void (await node.inContainer(CT.debian, ['sh', '-c', 'pkill -f 45679; pkill -f 456789'])),
    );
    await until(async () => {
      const found = await node.containerProcesses(CT.debian, 'sleep 4567');
      return found.filter(({ comm }) => comm === 'sleep').length === 2;
    });
    const { row, text } = await inspect({ vmids: [CT.debian], sections: ['processes'] });
    const commands =
      row(CT.debian)
        .processes?.top_memory.map(({ command }) => command)
        .join('\n') ?? '';
    expect(commands).toContain('456789');
    expect(commands).toContain(word);
    expect(commands + text).not.toMatch(/ghp_0|geheim7/);
  });

  needing('real lxc', 'reports ports, addresses and deleted files with their processes', async (rig) => {
    await exec(
      CT.debian,
      `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalPort => 8099) or die; open F, ">", "/root/gone.log"; print F "x" x 20000000; F->flush; unlink "/root/gone.log"; open R, ">", "/root/is-gone"; sleep 555' >/dev/null 2>&1 </dev/null &`,
    );
    onTestFinished(async () => void (await rig.inContainer(CT.debian, ['rm', '-f', '/root/is-gone'])));
    await until(async () => (await exec(CT.debian, 'ls /root/is-gone')).exit_code === 0);
    const { row } = await inspect({ vmids: [CT.debian], sections: ['network', 'disk'] });
    const port = row(CT.debian).network?.ports.find((each) => each.port === 8099);
    expect(port).toMatchObject({ protocol: 'tcp', address: '0.0.0.0' });
    expect(port?.process).toMatch(/^perl \(\d+\)$/);
    expect(row(CT.debian).disk?.deleted_open).toMatchObject([
      { path: '/root/gone.log', bytes: 20_000_000, process: 'perl' },
    ]);
    const pid = row(CT.debian).disk?.deleted_open?.[0]?.pid;
    expect((await rig.containerPids(CT.debian)).map((each) => each.pid)).toContain(pid);
  });

  needing(
    'real lxc',
    'is not delayed by a file system that hangs, names the processes that wait for it, and reports the others',
    async (rig) => {
      const at = '/mnt/hanging';
      const program = fileURLToPath(new URL('../rig/hanging-mount.pl', import.meta.url));
      const server = spawn('perl', [program, String(await rig.initPid(CT.debian)), at]);
      await once(server.stdout, 'data');
      await exec(CT.debian, `exec 3<${at}/file; rm ${at}/file; sleep 612612 >/dev/null 2>&1 </dev/null &`);
      server.kill('SIGUSR1');
      const inspection = inspect({
        vmids: [CT.debian, CT.busybox],
        sections: ['system', 'disk', 'processes'],
      });
      // Before the container is reset, whose processes could not be killed otherwise.
      const { row, survivors, text } = await inspection.finally(async () => {
        server.kill('SIGKILL');
        await rig.inContainer(CT.debian, ['sh', '-c', `pkill -f 612612; umount -l ${at}; rmdir ${at}`]);
      });
      expect(row(CT.busybox)).toMatchObject({ incomplete: null, disk: { search_incomplete: false } });
      const debian = row(CT.debian);
      expect(debian.system?.os).toMatch(/^Debian/);
      expect(debian.processes?.count).toBeGreaterThan(1);
      // df of the root file system came first.
      expect(debian.disk?.mounts.map(({ path }) => path)).toEqual(['/']);
      expect(debian.not_checked.map(({ reason }) => reason)).toContain(
        'df did not answer in time: one of its file systems may hang.',
      );
      expect(debian.disk?.search_incomplete).toBe(true);
      expect([...new Set(survivors?.map(({ name }) => name))].sort(), text).toEqual(['df', 'du', 'stat']);
    },
    120_000,
  );

  needing('real lxc', 'reports a process that uses CPU time', async (rig) => {
    await exec(CT.debian, 'yes >/dev/null 2>&1 </dev/null &');
    await until(async () =>
      (await rig.containerProcesses(CT.debian, 'yes')).some(({ comm }) => comm === 'yes'),
    );
    const { row } = await inspect({ vmids: [CT.debian], sections: ['processes'] });
    const [first] = row(CT.debian).processes?.top_cpu ?? [];
    expect(first?.command).toBe('yes');
    expect(first?.cpu_percent).toBeGreaterThan(0);
  });

  needing('real lxc', 'changes nothing in a container', async (rig) => {
    const seen = async () =>
      (
        await rig.inContainer(CT.debian, [
          'find',
          '/etc',
          '/var',
          '/root',
          '/usr/local',
          '/tmp',
          '-newer',
          '/tmp/mark',
        ])
      ).stdout;
    await rig.inContainer(CT.debian, ['sh', '-c', 'sleep 1; touch /tmp/mark; sleep 1']);
    await inspect({
      vmids: [CT.debian],
      sections: ['system', 'memory', 'disk', 'network', 'services', 'processes', 'updates', 'logs'],
    });
    expect(await seen()).toBe('');
  });

  test('reports what it could not check as unknown, with the reason', async () => {
    await replaceProgram(CT.debian, 'df', 'echo "df: broken" >&2; exit 1');
    await replaceProgram(CT.debian, 'apt-get', ':');
    const sections = ['disk', 'services', 'updates', 'logs'];
    const { row, text } = await inspect({ vmids: [CT.debian, CT.busybox], sections });
    const debian = row(CT.debian);
    expect(debian.disk?.mounts).toEqual([]);
    expect(debian.updates?.pending).toBeNull();
    const why = (vmid: number, section: string) =>
      row(vmid).not_checked.find((each) => each.section === section)?.reason;
    expect(why(CT.debian, 'disk')).toMatch(/^df failed with exit code 1/);
    expect(why(CT.debian, 'updates')).toMatch(/no package lists/);
    // That it has no such program is a fact.
    expect(row(CT.busybox).updates).toMatchObject({ manager: 'none', pending: null });
    expect(row(CT.busybox).services).toEqual({ manager: 'none', failed: [], restarting: [] });
    expect([why(CT.busybox, 'updates'), why(CT.busybox, 'services')]).toEqual([undefined, undefined]);
    expect(why(CT.busybox, 'logs')).toMatch(/no journal/);
    expect(text).not.toContain('LAST ERRORS: none');
    expect(text).toContain('2 with unknown values (NOT CHECKED)');
    expect(text).toMatch(/^NOT CHECKED$/m);
  });

  test('does not count a container without a service manager among those with unknown values', async () => {
    const { text, row } = await inspect({ vmids: [CT.busybox] });
    expect(row(CT.busybox).not_checked).toEqual([]);
    expect(text).toMatch(/^1 container, 0 with problems\. /);
    expect(text).toContain('no known manager');
  });

  test('shows the last errors as text, and all of them as data', async () => {
    const lines = Array.from({ length: 6 }, (_, index) => `Nov 26 19:00:0${index} web app: error ${index}\n`);
    await node.inContainer(CT.busybox, ['mkdir', '-p', '/var/log']);
    await node.writeInContainer(CT.busybox, '/var/log/messages', `ok\n${lines.join('')}`);
    onTestFinished(async () => void (await node.inContainer(CT.busybox, ['rm', '-f', '/var/log/messages'])));
    const { row, text } = await inspect({ vmids: [CT.busybox], sections: ['logs'] });
    expect(row(CT.busybox).logs).toEqual({
      source: '/var/log/messages',
      lines: lines.map((line) => line.trim()),
    });
    expect(text.match(/error \d/g)).toEqual(['error 3', 'error 4', 'error 5']);
    expect(text).toContain('3 earlier lines');
  });

  test('reports first which containers could not be inspected, and fails if none could', async () => {
    const { text } = await inspect({ vmids: [CT.debian, CT.elsewhere, CT.stopped] });
    expect(text).toMatch(
      new RegExp(
        `^1 container, .*, 1 COULD NOT BE INSPECTED, 1 skipped\\. .*\nNot inspected ${CT.elsewhere} \\(elsewhere\\): `,
      ),
    );
    const { isError, data } = await call('inspect_containers', { vmids: [CT.elsewhere] });
    expect(isError).toBe(true);
    expect(data).toMatchObject({ success: false, error: expect.stringContaining('pve2') });
  });

  test('skips a VMID that does not exist, with the reason', async () => {
    const { row, skipped } = await inspect({ vmids: [CT.debian, CT.unknown] });
    expect(row(CT.debian).state).toBe('running');
    expect(skipped).toMatchObject([{ vmid: CT.unknown, code: 'CONTAINER_NOT_FOUND' }]);
  });
});
