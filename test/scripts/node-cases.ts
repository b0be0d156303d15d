import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { changeKey, runReport } from './protocol.ts';

const PVE: Readonly<Record<string, string>> = {
  '.members': '{"nodename":"pve"}\n',
  '.vmlist': '{"ids":{}}\n',
  '.rrd': 'pve-vm-9.0/101:1:web:running\n',
  'user.cfg': 'user:root@pam:1:0:::::\npool:apps::101:\n',
  'nodes/pve/lxc/101.conf':
    'arch: amd64\nhostname: web\ntags: prod\nlock: backup\ntemplate: 1\n[before]\nhostname: old\n',
  'nodes/pve2/lxc/102.conf': 'hostname: db\n',
};
const SOCKETS = '0000: 2 0 10000 1 1 1 @/var/lib/lxc/101/command\n0000: 2 0 10000 1 1 2 /run/other.sock\n';

export const INVENTORY_CASES: readonly Case[] = [
  {
    name: 'reads the files of the cluster and the sockets of running containers',
    run: async (bench) => {
      await writeCluster(bench);
      const sections = await runReport(bench, 'inventory', ['']);
      expect([...sections.keys()]).toEqual(['unix', 'pve', 'item version', 'item now', 'conf', 'item end']);
      expect(sections.get('unix')).toBe('@/var/lib/lxc/101/command\n');
      expect(sections.get('pve')).toBe(
        '.members:{"nodename":"pve"}\n.vmlist:{"ids":{}}\n.rrd:pve-vm-9.0/101:1:web:running\nuser.cfg:pool:apps::101:\n',
      );
      expect(sections.get('conf')?.trim().split('\n')).toEqual([
        'nodes/pve/lxc/101.conf:hostname: web',
        'nodes/pve/lxc/101.conf:tags: prod',
        'nodes/pve/lxc/101.conf:lock: backup',
        'nodes/pve/lxc/101.conf:template: 1',
        'nodes/pve/lxc/101.conf:[before]',
        'nodes/pve/lxc/101.conf:hostname: old',
        'nodes/pve2/lxc/102.conf:hostname: db',
      ]);
    },
  },
  {
    name: 'reads further keys of the configurations on request',
    run: async (bench) => {
      await writeCluster(bench);
      const file = bench.machine.nodePath('/etc/pve/nodes/pve/lxc/103.conf');
      await bench.machine.files.write(
        file,
        'hostname: x\nostype: alpine\nnet0: ip=dhcp\nnet10: y\nnetwork: no\n',
      );
      const conf = (await runReport(bench, 'inventory', ['', '|ostype|net[0-9]+'])).get('conf') ?? '';
      expect(conf.match(/103\.conf:.*/g)).toEqual([
        '103.conf:hostname: x',
        '103.conf:ostype: alpine',
        '103.conf:net0: ip=dhcp',
        '103.conf:net10: y',
      ]);
      const less = (await runReport(bench, 'inventory', ['', ''])).get('conf') ?? '';
      expect(less.match(/103\.conf:.*/g)).toEqual(['103.conf:hostname: x']);
    },
  },
  {
    name: 'sends the networks of the first process of each container, whatever cgroups and processes a container makes',
    run: async (bench) => {
      await writeCluster(bench);
      const write = async (pid: number, ids: string, cgroup: string) => {
        const file = (name: string) => bench.machine.nodePath(`/proc/${pid}/${name}`);
        await bench.machine.files.write(file('status'), `Name:\tx\nNSpid:\t${ids}\nThreads:\t1\n`);
        await bench.machine.files.write(file('cgroup'), cgroup);
        await bench.machine.files.write(file('net/route'), 'Iface\tDestination\n');
        await bench.machine.files.write(
          file('net/fib_trie'),
          `     |-- 10.0.0.0\n        /24 link UNICAST\n     |-- 10.0.0.${pid}\n        /32 host LOCAL\n`,
        );
      };
      // cgroup v2, v1, a group that has the name of another container, and processes that are not the first of a container.
      await write(31, '31\t1', '0::/lxc/101/ns/init.scope\n');
      await write(32, '32\t1', '8:pids:/lxc/102/ns\n1:name=systemd:/lxc/102/ns/init.scope\n0::/\n');
      await write(33, '33\t1', '0::/lxc/103/ns/lxc/101/x:0::/lxc/101/ns\n');
      await write(34, '34\t7\t1', '0::/lxc/101/ns\n');
      await write(35, '35\t11', '0::/lxc/101/ns\n');
      await write(36, '36', '0::/lxc/101/ns\n');
      await write(37, '37\t1', '0::/system.slice/docker-1/lxc/101\n');
      for (const script of ['inventoryWithNetworks', 'runningWithNetworks'] as const) {
        const report = await runReport(bench, script, ['', '', '']);
        const first = report.get('first') ?? '';
        expect(first.match(/(?<=\/proc\/)\d+(?=\/cgroup:)/g)?.sort()).toEqual(['31', '32', '33']);
        expect(first).toMatch(/\/31\/cgroup:0::\/lxc\/101\/ns\/init\.scope$/m);
        expect(first).toMatch(/\/32\/cgroup:8:pids:\/lxc\/102\/ns$/m);
        const networks = report.get('networks') ?? '';
        expect(networks.match(/(?<=-- )[\d.]+$/gm)?.sort()).toEqual(['10.0.0.31', '10.0.0.32', '10.0.0.33']);
        expect(networks.match(/net\/route:/g)).toHaveLength(3);
        expect(report.get('unix')).toBe('@/var/lib/lxc/101/command\n');
        expect(report.has('item end')).toBe(true);
      }
      const less = await runReport(bench, 'inventory', ['', '|ostype', '']);
      expect(less.has('first') || less.has('networks')).toBe(false);
    },
  },
  {
    name: 'says that /etc/pve does not exist',
    run: async (bench) => {
      await bench.machine.files.write(bench.machine.nodePath('/proc/net/unix'), SOCKETS);
      expect([...(await runReport(bench, 'inventory', [''])).keys()]).toEqual([
        'unix',
        'pve',
        'item missing',
      ]);
    },
  },
  {
    name: 'omits configurations if the caller has their version',
    run: async (bench) => {
      await writeCluster(bench);
      const { machine } = bench;
      const version = (count: number) =>
        machine.files.write(
          machine.nodePath('/etc/pve/.version'),
          `{\n"starttime": 1700000000,\n"clinfo": 4,\n"vmlist": ${count},\n"kvstore": {}\n}\n`,
        );
      await version(12);
      const first = await runReport(bench, 'inventory', ['', '', '']);
      expect(first.get('item version')).toBe('1700000000.12.');
      expect(first.get('conf')).toContain('hostname: db');
      const again = await runReport(bench, 'inventory', ['', '', '1700000000.12.']);
      expect(again.get('conf')).toBe('');
      await version(13);
      const changed = await runReport(bench, 'inventory', ['', '', '1700000000.12.']);
      expect(changed.get('conf')).toContain('hostname: db');
    },
  },
  {
    name: 'reads a cluster without containers',
    run: async (bench) => {
      await bench.machine.files.mkdir(bench.machine.nodePath('/etc/pve'));
      const sections = await runReport(bench, 'inventory', ['']);
      expect([...sections]).toEqual([
        ['unix', ''],
        ['pve', ''],
        ['item version', ''],
        ['item now', expect.stringMatching(/^\d+$/)],
        ['conf', ''],
        ['item end', ''],
      ]);
    },
  },
  {
    name: 'reports the state of one container in English',
    run: async (bench) => {
      await writeCluster(bench);
      const programs = await withPrograms(bench, { 'lxc-info': 'echo "$LC_ALL $*"' });
      // The request that runs the script sets the locale.
      const options = { programs, env: { LC_ALL: 'C' } };
      const sections = await runReport(bench, 'inventory', ['101'], options);
      expect(sections.get('frozen')).toBe('C -n 101 -s -H\n');
      expect([...sections.keys()].at(-1)).toBe('item end');
    },
  },
];

export const PROBE_CASES: readonly Case[] = [
  {
    name: 'reports user, programs and version',
    run: async (bench) => {
      const pveversion = 'echo "perl: warning: Setting locale failed." >&2; echo pve-manager/9.1';
      const programs = await withPrograms(bench, { pct: 'exit 1', pveversion });
      const items = await runReport(bench, 'probe', [], { programs });
      expect(items.get('item path:pct')).toBe(`${programs}/pct`);
      expect(items.get('item version')).toBe('pve-manager/9.1');
      expect(items.get('item uid')).toMatch(/^\d+$/);
    },
  },
  {
    name: 'tells whether a container runs',
    run: async (bench) => {
      await writeCluster(bench);
      expect((await runReport(bench, 'runState', ['101'])).get('item running')).toBe('');
      expect((await runReport(bench, 'runState', ['10'])).get('item stopped')).toBe('');
    },
  },
  {
    name: 'does not tell that a container is stopped when it could not look',
    run: async (bench) => {
      // There is no /proc/net/unix.
      const report = await runReport(bench, 'runState', ['101']);
      expect([...report.keys()].filter((key) => key.startsWith('item'))).toEqual([]);
    },
  },
  {
    name: 'waits for as many addresses as the configuration promises',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { machine } = bench;
      await writeCluster(bench);
      const trie = (...addresses: readonly string[]) =>
        addresses.map((address) => `        |-- ${address}\n           /32 host LOCAL\n`).join('');
      const net = (name: string) => machine.nodePath(`/proc/42/net/${name}`);
      const conf = (text: string) =>
        machine.files.write(machine.nodePath('/etc/pve/nodes/pve/lxc/101.conf'), text);
      await machine.files.write(net('fib_trie'), trie('127.0.0.1'));
      await machine.files.write(net('if_inet6'), 'fe80000000000000000000000000abcd 02 40 20 80     eth0\n');
      // DHCP answers during the second wait.
      const programs = await withPrograms(bench, {
        'lxc-info': 'echo 42',
        sleep: `echo x >>"${machine.nodePath('/slept')}"; if [ "$(wc -l <"${machine.nodePath('/slept')}")" = 2 ]; then cat "${machine.nodePath('/later')}" >"${net('fib_trie')}"; fi`,
      });
      await machine.files.write(machine.nodePath('/later'), trie('127.0.0.1', '192.0.2.7'));
      const slept = async () => ((await machine.files.read(machine.nodePath('/slept'))) ?? '').length / 2;
      const read = (times: string) => runReport(bench, 'addresses', ['101', times], { programs });
      await conf('net0: name=eth0,ip=manual,ip6=manual\n[old]\nnet0: name=eth0,ip=dhcp\n');
      expect((await read('9')).get('item expected')).toBe('0');
      expect(await slept()).toBe(0);
      await conf('net0: name=eth0,ip=dhcp\n');
      expect((await read('0')).get('net')).not.toContain('192.0.2.7');
      const found = await read('9');
      expect(found.get('net')).toContain('|-- 192.0.2.7');
      expect(await slept()).toBe(2);
      await conf('net0: name=eth0,ip=dhcp\nnet1: name=eth1,ip6=auto\n');
      expect((await read('3')).get('item expected')).toBe('2');
      expect(await slept()).toBe(5);
    },
  },
  {
    name: 'reads a limited part of the tables of a container, which can make them as long as it wants',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { machine } = bench;
      await writeCluster(bench);
      const net = (name: string) => machine.nodePath(`/proc/42/net/${name}`);
      await machine.files.write(net('route'), 'eth0 0 0 1 0 0 0 0\n'.repeat(2_000));
      await machine.files.write(
        net('if_inet6'),
        'fe80000000000000000000000000abcd 02 40 20 80 eth0\n'.repeat(2_000),
      );
      await machine.files.write(net('fib_trie'), '|-- 127.0.0.1\n   /32 host LOCAL\n'.repeat(2_000));
      const programs = await withPrograms(bench, { 'lxc-info': 'echo 42' });
      const tables = (await runReport(bench, 'addresses', ['101', '0'], { programs })).get('net') ?? '';
      for (const name of ['route:', 'if_inet6:', 'fib_trie:'])
        expect(tables.split(`net/${name}`).length - 1).toBe(250);
    },
  },
  {
    name: 'lists the running containers, then those that are frozen',
    run: async (bench) => {
      await writeCluster(bench);
      const report = await runReport(bench, 'running');
      expect([...report]).toEqual([
        ['unix', '@/var/lib/lxc/101/command\n'],
        ['item end', ''],
      ]);
      const groups = {
        'lxc/101/cgroup.events': 'populated 1\nfrozen 1\n',
        'lxc/102/cgroup.events': 'populated 1\nfrozen 0\n',
        'freezer/lxc/103/freezer.state': 'FROZEN\n',
        'freezer/lxc/104/freezer.state': 'THAWED\n',
      };
      for (const [file, content] of Object.entries(groups)) {
        await bench.machine.files.write(bench.machine.nodePath(`/sys/fs/cgroup/${file}`), content);
      }
      for (const script of ['running', 'inventory'] as const) {
        const shown = (await runReport(bench, script, ['', '', ''])).get('unix')?.trim().split('\n');
        expect(shown?.map((line) => line.replace(/^.*\/sys/, '/sys'))).toEqual([
          '@/var/lib/lxc/101/command',
          '/sys/fs/cgroup/lxc/101/cgroup.events:frozen 1',
          '/sys/fs/cgroup/freezer/lxc/103/freezer.state:FROZEN',
        ]);
      }
    },
  },
  {
    name: 'reads the host keys of all nodes, even if a file is missing',
    run: async (bench) => {
      await writeCluster(bench);
      const { machine } = bench;
      await machine.files.write(
        machine.nodePath('/etc/pve/nodes/pve2/ssh_known_hosts'),
        'pve2 ssh-rsa AAAA\n',
      );
      await machine.files.write(machine.nodePath('/etc/pve/priv/known_hosts'), 'pve ssh-rsa BBBB\n');
      const report = await runReport(bench, 'hostKeys');
      expect([...report]).toEqual([
        ['keys', 'pve ssh-rsa BBBB\npve2 ssh-rsa AAAA\n'],
        ['item end', ''],
      ]);
    },
  },
  {
    name: 'prints the members of the cluster',
    run: async (bench) => {
      await writeCluster(bench);
      expect((await runReport(bench, 'members')).get('')).toBe(PVE['.members']);
    },
  },
];

const KEY = 'ssh-ed25519 AAAAC3Nz.key+/= a comment';
const OTHER = 'ssh-rsa AAAAB3 other';

export const AUTHORIZED_KEYS_CASES: readonly Case[] = [
  {
    name: 'creates authorized_keys for the user alone',
    run: async (bench) => {
      const { home, file, files } = await newHome(bench);
      expect(await changeKey(bench, 'add', KEY, home)).toBe('added');
      expect(await files.read(file)).toBe(`${KEY}\n`);
      expect(await files.mode(file)).toBe('600');
      expect(await files.mode(`${home}/.ssh`)).toBe('700');
    },
  },
  {
    name: 'adds a key once, on a line of its own',
    run: async (bench) => {
      const { home, file, files } = await newHome(bench);
      await files.write(file, OTHER);
      expect(await changeKey(bench, 'add', KEY, home)).toBe('added');
      expect(await changeKey(bench, 'add', KEY, home)).toBe('present');
      expect(await files.read(file)).toBe(`${OTHER}\n${KEY}\n`);
    },
  },
  {
    name: 'does not take part of a line or a pattern for the key',
    run: async (bench) => {
      const { home, file, files } = await newHome(bench);
      await files.write(file, `restrict ${KEY}\n${KEY.replace('.', 'x')}\n`);
      expect(await changeKey(bench, 'add', KEY, home)).toBe('added');
    },
  },
  {
    name: 'removes the key and nothing else, through a symlink',
    run: async (bench) => {
      const { home, file, files } = await newHome(bench);
      await files.write(`${home}/cluster`, `${OTHER}\n${KEY}\nrestrict ${KEY}\n`);
      await files.mkdir(`${home}/.ssh`);
      await files.symlink(`${home}/cluster`, file);
      expect(await changeKey(bench, 'remove', KEY, home)).toBe('removed');
      expect(await files.isSymlink(file)).toBe(true);
      expect(await files.read(`${home}/cluster`)).toBe(`${OTHER}\nrestrict ${KEY}\n`);
    },
  },
  {
    name: 'leaves an empty file after the last key',
    run: async (bench) => {
      const { home, file, files } = await newHome(bench);
      await files.write(file, `${KEY}\n`);
      expect(await changeKey(bench, 'remove', KEY, home)).toBe('removed');
      expect(await files.read(file)).toBe('');
    },
  },
  {
    name: 'fails where there is no authorized_keys to remove from, and creates none',
    run: async (bench) => {
      const { home, file, files } = await newHome(bench);
      expect(await changeKey(bench, 'remove', KEY, home)).toBeNull();
      expect(await files.read(file)).toBeUndefined();
    },
  },
];

async function newHome({ machine }: Bench) {
  const home = await machine.folder();
  return { home, file: `${home}/.ssh/authorized_keys`, files: machine.files };
}

async function writeCluster({ machine }: Bench): Promise<void> {
  for (const [file, content] of Object.entries(PVE)) {
    await machine.files.write(machine.nodePath(`/etc/pve/${file}`), content);
  }
  await machine.files.write(machine.nodePath('/proc/net/unix'), SOCKETS);
}

/** A folder of programs, by name and script. */
async function withPrograms({ machine }: Bench, programs: Readonly<Record<string, string>>): Promise<string> {
  const folder = await machine.folder();
  for (const [name, script] of Object.entries(programs)) {
    await machine.files.write(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
  }
  return folder;
}
