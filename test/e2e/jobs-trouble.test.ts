import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectToRig, uniqueSleep, useClient } from './connect.ts';
import { JOBS_DIR, jobsOf } from './jobs.ts';
import { describeNode } from './nodes.ts';

describeNode('jobs in trouble', [], (rig, { needing }) => {
  const node = useClient(rig, { ENABLE_HOST_EXEC: 'true', JOB_OUTPUT_LIMIT: '1M' });
  const { start, get, ended, onHost } = jobsOf(node);
  const beginningOf = async (job: string) => String((await get(job, { offset: 0 })).data.stdout);
  /** Waits until the node has stored an output, which is some time after the command has written it. */
  const hasPrinted = (job: string, text: string) => until(async () => (await beginningOf(job)) === text);
  const mayEnd = async (file: string) => rig.writeInContainer(CT.debian, file, '');

  test('end with an unknown exit code when the container is stopped', async () => {
    const n = uniqueSleep();
    const { job } = await start(CT.debian, `echo begun; sleep ${n}`);
    await hasPrinted(job, 'begun\n');
    await rig.ensureStopped(CT.debian);
    const { data } = await ended(job);
    await rig.ensureStarted(CT.debian);
    expect(data).toMatchObject({ ended: 'exit', exit_code: null, code: 'EXIT_UNKNOWN', stdout: 'begun\n' });
  });

  test('have no exit code and no processes after their lxc-attach was killed', async () => {
    const n = uniqueSleep();
    const { job } = await start(CT.debian, `setsid sleep ${n} & sleep ${n}`);
    await until(async () => (await rig.containerProcesses(CT.debian, n)).length > 1);
    const [attach] = rig.nodeProcesses(n).filter(({ cmdline }) => cmdline.startsWith('lxc-attach'));
    await onHost(`kill -9 ${attach?.pid}`);
    expect((await ended(job)).data).toMatchObject({ ended: 'exit', exit_code: null, code: 'EXIT_UNKNOWN' });
    expect(rig.nodeProcesses(n)).toEqual([]);
  });

  test('are lost when their supervisor is killed, and their processes can still be killed', async () => {
    const n = uniqueSleep();
    const { job } = await start(CT.debian, `echo begun; sleep ${n}`);
    await hasPrinted(job, 'begun\n');
    for (const { pid } of rig.nodeProcesses(`${job}/run`)) await onHost(`kill -9 ${pid} || true`);
    const { data, text } = await get(job);
    expect(data).toMatchObject({ state: 'ended', ended: 'lost', code: 'EXIT_UNKNOWN', stdout: 'begun\n' });
    expect(text).toContain('proxmox_cancel_job');
    expect((await rig.containerProcesses(CT.debian, n)).length).toBeGreaterThan(0);
    expect((await node.call('cancel_job', { job })).data).toMatchObject({
      success: true,
      ended: 'cancelled',
    });
    expect(rig.nodeProcesses(n)).toEqual([]);
  });

  test('end although the command leaves a daemon, which survives', async () => {
    const n = uniqueSleep();
    const { job } = await start(CT.debian, `setsid sleep ${n} & echo started; exit 2`);
    const { data } = await ended(job);
    expect(data).toMatchObject({ ended: 'exit', exit_code: 2, stdout: 'started\n' });
    expect(String(data.note)).toMatch(/still running/);
    const daemons = async () =>
      (await rig.containerProcesses(CT.debian, n)).filter(({ comm }) => comm === 'sleep');
    await until(async () => (await daemons()).length === 1);
    for (const { pid } of rig.nodeProcesses(n)) await onHost(`kill ${pid} 2>/dev/null || true`);
  });

  test('keep the beginning and end of a long output, and report what was dropped', async () => {
    const { job } = await start(CT.debian, 'echo FIRST; yes xxxxxxxxxxxxxxx | head -c 3000000; echo LAST');
    const { data } = await ended(job);
    expect(data.exit_code).toBe(0);
    expect(data.stdout_bytes).toBeGreaterThan(3_000_000);
    expect(String(data.stdout)).toMatch(/x\nLAST\n$/);
    expect(String((await get(job, { offset: 0 })).data.stdout)).toMatch(/^FIRST\nx/);
    expect(String(data.note)).toMatch(/\d+ bytes in the middle of the output were dropped/);
    const kept = Number(await onHost(`cat ${JOBS_DIR}/${job}/out.* | wc -c`));
    expect(kept).toBeLessThan(512 * 1024);
    expect(kept).toBeGreaterThan(256 * 1024);
  });

  test('are logged once at their end, by the first server that notices it', async () => {
    const clients = await Promise.all(
      [0, 1, 2].map(async () => {
        const dir = path.join(node.dir, `audit-${Math.random()}`);
        return { dir, client: await connectToRig(rig, { env: { AUDIT_DIR: dir } }) };
      }),
    );
    try {
      const [first] = clients;
      const started = await first?.client.callTool('proxmox_container_exec_command', {
        vmid: CT.debian,
        command: 'sleep 1; exit 9',
        background: true,
      });
      const job = String(started?.data.job);
      const results = await Promise.all(
        clients.map(async ({ client }) => {
          // Also returns when the command has begun.
          for (;;) {
            const result = await client.callTool('proxmox_get_job', { job, wait: 30 });
            if (result.data.state !== 'running') return result;
          }
        }),
      );
      expect(results.map(({ data }) => data.exit_code)).toEqual([9, 9, 9]);
      // A server writes its log before it ends.
      await Promise.all(clients.map(({ client }) => client.close()));
      const texts = await Promise.all(clients.map(({ dir }) => textIn(dir)));
      const begins = texts
        .join('')
        .split('\n')
        .filter((line) => line.includes('end of a job') && line.includes(job));
      expect(begins).toHaveLength(1);
    } finally {
      await Promise.all(clients.map(({ client }) => client.close()));
    }
  });

  test('are removed a day after their end, but not while they run', async () => {
    const { job } = await start(CT.debian, 'echo old');
    await ended(job);
    const running = await start(CT.debian, 'sleep 60');
    await onHost(`touch -d '2 days ago' ${JOBS_DIR}/${job} ${JOBS_DIR}/${running.job}`);
    await node.call('list_jobs', {});
    expect((await get(job)).data).toMatchObject({ code: 'JOB_NOT_FOUND' });
    expect((await get(running.job)).data).toMatchObject({ state: 'running' });
    await node.call('cancel_job', { job: running.job });
  });

  test('are reported as ended after a restart of the node', async () => {
    const { job } = await start(CT.debian, 'echo begun; sleep 60');
    await hasPrinted(job, 'begun\n');
    await onHost(`cd ${JOBS_DIR}/${job} && sed 's/^[^ ]*/another-boot/' start >x && cp x start && rm x`);
    expect((await get(job)).data).toMatchObject({
      ended: 'rebooted',
      code: 'EXIT_UNKNOWN',
      stdout: 'begun\n',
    });
    await onHost(`pid=$(echo ${JOBS_DIR}/${job}/s.running.*); kill -9 \${pid##*.}; true`);
  });

  test('work the same on the host as in a container', async () => {
    const started = await node.call('host_exec_command', {
      command: 'echo "$PROXMOX_MCP_RUN" | wc -c; echo host; exit 3',
      background: true,
    });
    const job = String(started.data.job);
    expect((await ended(job)).data).toMatchObject({ exit_code: 3, state: 'ended' });
    const without = await connectToRig(rig);
    expect((await without.callTool('proxmox_get_job', { job })).data).toMatchObject({
      code: 'HOST_ACCESS_DISABLED',
    });
    await without.close();
  });

  test('run completely or not at all when the server is killed during their start', async () => {
    const file = `/tmp/jobs-${uniqueSleep()}`;
    const command = `echo x >>${file}; sleep 0.3; echo y`;
    for (let after = 0; after < 8; after += 1) {
      const client = await connectToRig(rig);
      await client.callTool('proxmox_container_exec_command', { vmid: CT.debian, command: 'true' });
      const call = client.callTool('proxmox_container_exec_command', {
        vmid: CT.debian,
        command,
        background: true,
      });
      call.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, after * 12));
      process.kill(client.pid, 'SIGKILL');
      await client.close().catch(() => {});
    }
    await until(async () => {
      const { data } = await node.call('list_jobs', {});
      const jobs = data.jobs as { command: string; state: string; exit_code: number | null }[];
      const mine = jobs.filter((each) => each.command === command);
      if (mine.some(({ state }) => state === 'running')) return false;
      expect(mine.every(({ exit_code }) => exit_code === 0)).toBe(true);
      const ran = (await node.exec(CT.debian, `cat ${file} 2>/dev/null || true`)).stdout;
      expect(ran.split('x').length - 1).toBe(mine.length);
      return true;
    });
  });

  needing('real lxc', 'survive a restart of sshd and a lost connection', async (real) => {
    const n = uniqueSleep();
    const { job } = await start(CT.debian, `sleep 3; echo over; : ${n}; exit 6`);
    const waiting = get(job, { wait: 40, offset: 0 });
    await real.restartSshd();
    real.killSshConnections();
    await waiting;
    expect((await ended(job)).data).toMatchObject({ exit_code: 6, stdout: 'over\n' });
  });

  needing(
    'real lxc',
    'lose output on a full disk, but neither the exit code nor other processes',
    async () => {
      await onHost(`mkdir -p ${JOBS_DIR} && mount -t tmpfs -o size=68m tmpfs ${JOBS_DIR}`);
      try {
        const file = `/tmp/disk-is-full-${uniqueSleep()}`;
        const command = `echo begun; until [ -e ${file} ]; do sleep 0.1; done; i=0; while [ $i -lt 9999 ]; do echo "line $i"; i=$((i+1)); done; exit 8`;
        const { job } = await start(CT.debian, command);
        await hasPrinted(job, 'begun\n');
        await onHost(`dd if=/dev/zero of=${JOBS_DIR}/fill bs=1M 2>/dev/null; true`);
        await mayEnd(file);
        const { data } = await ended(job);
        expect(data).toMatchObject({ ended: 'exit', exit_code: 8 });
        expect(await beginningOf(job)).toMatch(/^begun\n/);
        expect(String(data.note)).toContain('disk of the node was full');
        const refused = await node.call('container_exec_command', {
          vmid: CT.debian,
          command: 'true',
          background: true,
        });
        expect(refused.data).toMatchObject({ code: 'DISK_FULL' });
      } finally {
        await onHost(`umount -l ${JOBS_DIR}`);
      }
    },
  );

  needing(
    'real lxc',
    'a job is a unit where systemd runs, and a unit that is stopped leaves nothing in the container',
    async () => {
      const standIn = await readFile(new URL('../rig/node/systemd-run', import.meta.url), 'utf8');
      const encoded = Buffer.from(standIn).toString('base64');
      await onHost(
        `mkdir -p /run/systemd/system; cd /usr/sbin; echo ${encoded} | base64 -d >systemd-run; chmod 755 systemd-run; cp systemd-run systemctl`,
      );
      try {
        const file = `/tmp/seen-${uniqueSleep()}`;
        const short = await start(
          CT.debian,
          `yes | head -n 1; trap; until [ -e ${file} ]; do sleep 0.1; done; exit 3`,
        );
        expect(await onHost('ls /run/systemd/transient')).toBe(`proxmox-mcp-job-${short.job}\n`);
        await mayEnd(file);
        expect((await ended(short.job)).data).toMatchObject({ exit_code: 3, stdout: 'y\n', stderr: '' });

        const n = uniqueSleep();
        const { job } = await start(CT.debian, `setsid sleep ${n} & sleep ${n}`);
        await until(async () => (await rig.containerProcesses(CT.debian, n)).length > 1);
        await onHost(`systemctl stop proxmox-mcp-job-${job}`);
        expect((await get(job)).data).toMatchObject({
          ended: 'stopped',
          code: 'EXIT_UNKNOWN',
          survivors: [],
        });
        expect(rig.nodeProcesses(n)).toEqual([]);

        const late = await start(CT.debian, `setsid sleep ${n} & sleep ${n}`, { timeout: 1 });
        expect((await ended(late.job)).data).toMatchObject({ ended: 'timeout', survivors: [] });
        expect(rig.nodeProcesses(n)).toEqual([]);
        await until(async () => (await onHost('ls /run/systemd/transient')) === '');
      } finally {
        await onHost('rm -rf /run/systemd /usr/sbin/systemd-run /usr/sbin/systemctl');
      }
    },
  );

  needing(
    'volume',
    'more bytes of output than a signed number of 32 bits can count',
    async () => {
      const bytes = 2 ** 31 + 2 ** 20;
      // With the default limit: a small one makes small files, which take longer.
      const client = await connectToRig(rig);
      const started = await client.callTool('proxmox_container_exec_command', {
        vmid: CT.debian,
        command: `echo FIRST; head -c ${bytes} /dev/zero; echo LAST`,
        background: true,
      });
      await client.close();
      const job = String(started.data.job);
      const { data } = await ended(job);
      expect(data).toMatchObject({ exit_code: 0, stdout_bytes: bytes + 11 });
      expect(await beginningOf(job)).toMatch(/^FIRST\n/);
      expect(String(data.stdout).endsWith('LAST\n')).toBe(true);
      expect(Number(await onHost(`cat ${JOBS_DIR}/${job}/out.* | wc -c`))).toBeLessThan(32 * 1024 * 1024);
    },
    240_000,
  );

  test('fifty jobs at once', async () => {
    const started = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        start(i % 2 === 0 ? CT.debian : CT.busybox, `echo job ${i}; sleep 2; exit ${i}`),
      ),
    );
    const results = await Promise.all(started.map(({ job }) => ended(job)));
    expect(results.map(({ data }) => data.exit_code)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(results.map(({ data }) => data.stdout)).toEqual(
      Array.from({ length: 50 }, (_, i) => `job ${i}\n`),
    );
  });
});

async function textIn(dir: string): Promise<string> {
  const names = await readdir(dir).catch(() => []);
  return (
    await Promise.all(names.map((name) => readFile(path.join(dir, name), 'utf8').catch(() => '')))
  ).join('\n');
}
