import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { ENTER, inspectNode, RUN } from './inspect-protocol.ts';
import { NONCE } from './protocol.ts';

export const INSPECT_NODE_CASES: readonly Case[] = [
  {
    name: 'reports the output of each container under its VMID, and its end',
    run: async (bench) => {
      const { reports, stdout } = await inspectNode(bench, { containers: { 101: [], 102: [] } });
      for (const vmid of [101, 102]) {
        const facts = reports.get(vmid);
        expect(facts?.word('state')).toBe(`RUNNING 4${vmid}`);
        expect(facts?.text('container')).toBe(`${vmid} is here\n`);
        expect(facts?.word('code')).toBe('0');
      }
      expect(stdout).toMatch(new RegExp(`^${NONCE} item uptime 1000\\.00\\n${NONCE} item time \\d+\\n`));
      expect(stdout).toMatch(new RegExp(`\\n${NONCE} item end\\n$`));
    },
  },
  {
    name: 'passes word, sections and marker to the container, and no other argument',
    run: async (bench) => {
      const { reports } = await inspectNode(bench, {
        sections: 'system logs',
        containers: { 101: [] },
        inside: 'echo "$# $1 $2 $PROXMOX_MCP_RUN"',
      });
      expect(reports.get(101)?.text('container')).toBe(`2 WORD system logs ${RUN.split('=')[1]}\n`);
    },
  },
  {
    name: 'sends output of a container as data, even if it looks like a report about another one',
    run: async (bench) => {
      const forged = `102 state STOPPED\\n${NONCE} item end\\n102 container SGFj\\n102 container .\\n`;
      const { reports, stdout } = await inspectNode(bench, {
        containers: { 101: [], 102: [] },
        inside: `if [ "$vmid" = 101 ]; then printf '${forged}'; else echo true; fi`,
      });
      expect(reports.get(102)?.word('state')).toBe('RUNNING 4102');
      expect(reports.get(102)?.text('container')).toBe('true\n');
      expect(reports.get(101)?.text('container')).toContain('102 state STOPPED');
      expect(stdout.split('\n').filter((line) => line.startsWith(NONCE))).toHaveLength(3);
    },
  },
  {
    name: 'closes all descriptors of the node in the container',
    run: async (bench) => {
      const inside =
        'for f in 3 4 5 6 7 8 9; do if (echo forged >&$f) 2>/dev/null; then echo "open $f"; fi; done; echo none else';
      const { reports, stdout } = await inspectNode(bench, { containers: { 101: [] }, inside });
      expect(reports.get(101)?.text('container')).toBe('none else\n');
      expect(stdout).not.toContain('forged');
    },
  },
  {
    name: 'truncates the output of a container that floods, and finishes',
    run: async (bench) => {
      const { reports, stdout } = await inspectNode(bench, {
        containers: { 101: [], 102: [] },
        limitS: 4,
        inside: 'if [ "$vmid" = 101 ]; then yes flood; fi; echo quiet',
      });
      expect(reports.get(101)?.text('container')).toHaveLength(262_144);
      expect(reports.get(102)?.text('container')).toBe('quiet\n');
      expect(stdout).toContain(`${NONCE} item end`);
    },
  },
  {
    name: 'stops waiting for a container that does not answer, and reports the others',
    run: async (bench) => {
      const { reports, stdout } = await inspectNode(bench, {
        containers: { 101: [], 102: [], 103: [] },
        // The others must answer within it, also on a busy machine.
        limitS: 3,
        atOnce: 2,
        inside: 'echo "$vmid"; if [ "$vmid" = 101 ]; then sleep 50; fi',
      });
      expect(reports.get(101)?.word('code')).not.toBe('0');
      expect(reports.get(101)?.text('container')).toMatch(/^101\n/);
      for (const vmid of [102, 103]) expect(reports.get(vmid)?.word('code')).toBe('0');
      expect(stdout).toContain(`${NONCE} item end`);
    },
  },
  {
    name: 'does not wait for a process that keeps the output of a container open',
    run: async (bench) => {
      const { reports, stdout } = await inspectNode(bench, {
        containers: { 101: [] },
        limitS: 3,
        inside: 'echo before; setsid sleep 8 & exit 0',
      });
      expect(reports.get(101)?.text('container')).toBe('before\n');
      expect(stdout).toContain(`${NONCE} item end`);
      expect((await bench.machine.commandLines()).some((line) => line.includes('sleep 8'))).toBe(true);
    },
  },
  {
    name: 'skips a container whose precondition fails, and inspects the others',
    run: async (bench) => {
      const conf = bench.machine.nodePath('/etc/pve/nodes/pve/lxc/101.conf');
      await bench.machine.files.write(conf, 'hostname: web\n');
      const condition = (name: string) => ['container', '101', 'conf', conf, 'name', name];
      const { reports } = await inspectNode(bench, {
        containers: { 101: condition('db'), 102: condition('web') },
      });
      expect(reports.get(101)?.word('refused')).toBe('changed');
      expect(reports.get(101)?.word('state')).toBeUndefined();
      expect(reports.get(102)?.text('container')).toBe('102 is here\n');
    },
  },
  {
    name: 'does not enter a stopped or frozen container',
    run: async (bench) => {
      const { reports } = await inspectNode(bench, {
        containers: { 101: [], 102: [], 103: [] },
        info: 'case $2 in 101) echo STOPPED;; 102) echo FROZEN; echo 4102;; *) echo gone >&2;; esac',
      });
      expect(reports.get(101)?.word('state')).toBe('STOPPED');
      expect(reports.get(102)?.word('state')).toBe('FROZEN 4102');
      expect(reports.get(103)?.word('state')).toBe('unknown');
      for (const vmid of [101, 102, 103]) expect(reports.get(vmid)?.text('container')).toBeUndefined();
    },
  },
  {
    name: 'limits the number of containers at a time',
    run: async (bench) => {
      const folder = await bench.machine.folder();
      const inside = `: >${folder}/$vmid; ls ${folder} | wc -l; sleep 0.2; rm ${folder}/$vmid`;
      const containers = { 101: [], 102: [], 103: [], 104: [], 105: [] };
      const { reports } = await inspectNode(bench, { containers, atOnce: 2, inside });
      const counts = [...reports.values()].map((facts) => Number(facts.text('container')));
      expect(counts).toHaveLength(5);
      expect(Math.max(...counts)).toBeLessThanOrEqual(2);
    },
  },
  {
    name: 'begins no container after the time limit, and reports that',
    run: async (bench) => {
      const { reports, stdout } = await inspectNode(bench, {
        containers: { 101: ['name', 'web'], 102: [] },
        longestS: 0,
      });
      expect([...reports.keys()]).toEqual([101, 102]);
      expect([...reports.values()].map((facts) => facts.word('skipped'))).toEqual(['', '']);
      expect(stdout).toContain(`${NONCE} item end`);
    },
  },
  {
    name: 'reads the memory of the cgroup',
    run: async (bench) => {
      await writeCgroup(bench, 'lxc/101', {
        'memory.current': '1000',
        'memory.max': 'max',
        'memory.stat': 'anon 5\nfile 30',
      });
      await writeCgroup(bench, 'memory/lxc/102', {
        'memory.usage_in_bytes': '77',
        'memory.oom_control': 'oom_kill 3',
      });
      const { reports } = await inspectNode(bench, { sections: 'memory', containers: { 101: [], 102: [] } });
      expect(reports.get(101)?.text('memory')).toMatch(
        /memory\.current:1000\n.*memory\.max:max\n.*memory\.stat:file 30\n$/s,
      );
      expect(reports.get(101)?.text('memory')).not.toContain('anon');
      expect(reports.get(102)?.text('memory')).toMatch(/usage_in_bytes:77\n.*oom_control:oom_kill 3\n$/s);
    },
  },
  {
    name: 'reads the processes with most memory of their own, and their names',
    run: async (bench) => {
      await writeCgroup(bench, 'lxc/101', { 'cgroup.procs': '1\n2\n3\n4\n5' });
      for (const pid of [1, 2, 3, 4, 5]) {
        await writeProc(bench, `${pid}/comm`, `p${pid}\n`);
        const kib = [900, 20, 1000, 7, 300][pid - 1];
        await writeProc(
          bench,
          `${pid}/status`,
          `Name:\tRssAnon:\nVmRSS:\t 9999 kB\nRssAnon:\t   ${kib} kB\n`,
        );
      }
      const { reports } = await inspectNode(bench, { sections: 'memory', containers: { 101: [] } });
      const top = reports.get(101)?.text('top') ?? '';
      expect(top.replaceAll(/^.*\/proc\//gm, '').split('\n')).toEqual([
        '3/status:RssAnon:\t   1000 kB',
        '1/status:RssAnon:\t   900 kB',
        '5/status:RssAnon:\t   300 kB',
        '3/comm:p3',
        '1/comm:p1',
        '5/comm:p5',
        '',
      ]);
    },
  },
  {
    name: 'reads only the processes of the cgroup and the cgroups below it',
    run: async (bench) => {
      await writeCgroup(bench, 'lxc/101', { 'cgroup.procs': '' });
      await writeCgroup(bench, 'lxc/101/ns/app', { 'cgroup.procs': '31\n32' });
      for (const pid of [31, 32, 33]) await writeProc(bench, `${pid}/stat`, `${pid} (p) S\n`);
      await writeProc(bench, 'stat', 'cpu of the node\n');
      await writeProc(bench, '31/comm', 'nginx\n');
      const { reports } = await inspectNode(bench, {
        sections: 'processes',
        containers: { 101: [], 102: [] },
      });
      expect(reports.get(101)?.text('before')).toBe('1000.00 5.00\n31 (p) S\n32 (p) S\n');
      expect(reports.get(101)?.text('names')).toMatch(/\/31\/comm:nginx\n$/);
      // Without processes, no file of the node itself is read.
      expect(reports.get(102)?.text('before')).toBe('1000.00 5.00\n');
    },
  },
  {
    name: 'reads listening sockets and addresses from the tables of the first process',
    run: async (bench) => {
      const socket = (state: string, peer: string) =>
        `   0: 00000000:1F90 ${peer} ${state} 00000000:00000000 00:00000000 00000000     0        0 12345 1\n`;
      await writeProc(
        bench,
        '4101/net/tcp',
        `  sl  local_address\n${socket('0A', '00000000:0000')}${socket('01', '0100007F:D431')}`,
      );
      await writeProc(bench, '4101/net/udp', socket('07', '00000000:0000') + socket('01', '0100007F:D431'));
      await writeProc(
        bench,
        '4101/net/fib_trie',
        '     |-- 10.0.0.0\n        /24 link UNICAST\n     |-- 10.0.0.5\n        /32 host LOCAL\n',
      );
      const { reports } = await inspectNode(bench, { sections: 'network', containers: { 101: [] } });
      const text = reports.get(101)?.text('network') ?? '';
      expect(text.match(/:1F90 00000000:0000 0A/g)).toHaveLength(1);
      expect(text.match(/:1F90 00000000:0000 07/g)).toHaveLength(1);
      expect(text).toMatch(/\/net\/tcp: +sl /);
      expect(text).not.toContain('D431');
      expect(text).toContain('10.0.0.5');
      expect(text).not.toContain('10.0.0.0');
    },
  },
  {
    name: 'finds the largest directories and files of one file system',
    // The du of busybox has no threshold option; a node has GNU's.
    needs: ['missingPrograms'],
    run: async (bench) => {
      const big = Buffer.alloc(12 * 1024 * 1024, 1);
      await writeProc(bench, '4101/root/var/big.bin', big);
      await writeProc(bench, '4101/root/etc/small', 'x');
      const { reports } = await inspectNode(bench, { sections: 'usage', containers: { 101: [] } });
      const paths = (fact: string) =>
        (reports.get(101)?.text(fact) ?? '')
          .split('\0')
          .flatMap((entry) => /\/root\/(.*)$/.exec(entry)?.[1] ?? []);
      // The largest first, because only so many are sent.
      expect(paths('directories')).toEqual(['', 'var']);
      expect(paths('files')).toEqual(['', 'var', 'var/big.bin']);
      expect(reports.get(101)?.word('directories-code')).toBe('0');
    },
  },
  {
    name: 'leaves a search behind that does not end, and finishes',
    run: async (bench) => {
      const { reports, stdout } = await inspectNode(bench, {
        sections: 'system usage',
        containers: { 101: [] },
        // Longer than the limits of both searches. A script that waits for them takes twice this time.
        programs: { nice: 'trap "" TERM; sleep 27; :' },
      });
      const facts = reports.get(101);
      expect(facts?.text('container')).toBe('101 is here\n');
      expect(facts?.isComplete('deleted')).toBe(true);
      expect(facts?.hasEnded('files')).toBe(true);
      expect(facts?.isLeft('files')).toBe(true);
      expect(facts?.mayBeLeft).toBe(true);
      expect(stdout).toMatch(new RegExp(`\\n${NONCE} item end\\n$`));
      expect((await bench.machine.commandLines()).some((line) => line.includes('sleep 27'))).toBe(true);
    },
  },
  {
    name: 'reports addresses also if there are more sockets than fit',
    run: async (bench) => {
      const socket =
        '   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n';
      await writeProc(bench, '4101/net/tcp', socket.repeat(4000));
      await writeProc(bench, '4101/net/if_inet6', `${'0'.repeat(31)}1 01 80 10 80 lo\n`);
      const { reports } = await inspectNode(bench, { sections: 'network', containers: { 101: [] } });
      expect(reports.get(101)?.text('network')).toContain('10 80 lo');
      expect(reports.get(101)?.hasEnded('network')).toBe(true);
      expect(reports.get(101)?.isComplete('network')).toBe(false);
      expect(reports.get(101)?.mayBeLeft).toBe(false);
    },
  },
  {
    name: 'does not run the script in a container for facts that the kernel knows',
    run: async (bench) => {
      const { reports } = await inspectNode(bench, {
        sections: 'memory network processes',
        containers: { 101: [] },
        attach: `echo entered; ${ENTER}`,
      });
      expect(reports.get(101)?.text('container')).toBeUndefined();
    },
  },
];

async function writeCgroup(
  { machine }: Bench,
  folder: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    const file = machine.nodePath(`/sys/fs/cgroup/${folder}/${name}`);
    await machine.files.write(file, value === '' ? '' : `${value}\n`);
  }
}

async function writeProc({ machine }: Bench, file: string, content: string | Buffer): Promise<void> {
  await machine.files.write(machine.nodePath(`/proc/${file}`), content);
}
