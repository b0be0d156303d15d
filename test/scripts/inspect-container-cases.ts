import { expect } from 'vitest';
import type { Case } from './cases.ts';
import { inspectContainer } from './inspect-protocol.ts';

/** The programs of a container without a package manager and init system. */
const FEW = ['sh', 'cat', 'head', 'grep', 'date', 'df', 'stat', 'sort', 'tail', 'cut'];

export const INSPECT_CONTAINER_CASES: readonly Case[] = [
  {
    name: 'prints the requested parts between began and ended',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { parts, began, ended } = await inspectContainer(bench, 'system disk', {
        df: 'echo "df $*"; echo "none 1 1 0 100% /"',
      });
      expect([began, ended]).toEqual([true, true]);
      expect([...parts.keys()]).toEqual(['os', 'zone', 'root', 'inodes', 'mounts']);
      expect(parts.get('zone')).toMatch(/^\S+ [+-]\d{4}\n$/);
      expect(parts.get('mounts')).toContain('df -P -k\n');
      expect(parts.get('inodes')).toContain('df -P -i\n');
    },
  },
  {
    name: 'finishes when programs are missing',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const sections = 'system services logs updates disk';
      const { ended, parts, stdout } = await inspectContainer(
        bench,
        sections,
        {},
        { onlyPrograms: ['date'] },
      );
      expect(ended).toBe(true);
      // Without grep, no list is known to be empty.
      expect(stdout).toContain('WORD missing grep\n');
      expect([...parts.keys()]).toEqual([]);
      expect(stdout).not.toContain('WORD done');
    },
  },
  {
    name: 'writes nothing to stderr, and does not interpret stderr as a result',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { parts, stdout } = await inspectContainer(bench, 'disk', { df: 'echo noise >&2; echo row' });
      expect(parts.get('mounts')).toBe('row\n');
      expect(stdout).not.toContain('noise');
    },
  },
  {
    name: 'reads failed units and restarts from systemd if it runs',
    run: async (bench) => {
      const programs = {
        systemctl:
          'case $1 in show) echo NRestarts=7; echo Id=a.service; echo Other=1; echo;; *) echo "$*"; exit 3;; esac',
      };
      const without = await inspectContainer(bench, 'services', programs, { onlyPrograms: FEW });
      expect(without.parts.has('systemd-failed')).toBe(false);
      await bench.machine.files.mkdir(bench.machine.nodePath('/run/systemd/system'));
      const { parts, codes } = await inspectContainer(bench, 'services', programs);
      expect(codes.get('systemd-failed')).toBe(3);
      expect(parts.get('systemd-failed')).toBe('list-units --failed --plain --no-legend --no-pager\n');
      expect(parts.get('systemd-restarts')).toBe('NRestarts=7\nId=a.service\n\n');
    },
  },
  {
    name: 'reads services from OpenRC if it runs, and there is no systemd',
    run: async (bench) => {
      const programs = { 'rc-status': 'echo "$* [ crashed ]"' };
      const installed = await inspectContainer(bench, 'services', programs);
      expect(installed.parts.has('openrc')).toBe(false);
      await bench.machine.files.mkdir(bench.machine.nodePath('/run/openrc'));
      await bench.machine.files.write(bench.machine.nodePath('/run/openrc/softlevel'), 'default\n');
      const { parts } = await inspectContainer(bench, 'services', programs);
      expect(parts.get('openrc')).toBe('-a [ crashed ]\n');
    },
  },
  {
    name: 'simulates an upgrade with apt without a lock and without writing its cache',
    run: async (bench) => {
      const { parts, codes } = await inspectContainer(bench, 'updates', {
        'apt-get': 'echo "Inst $*"; echo "Conf x"; echo "E: broken" >&2; exit 100',
      });
      expect(codes.get('apt')).toBe(100);
      expect(parts.get('lists')).toBe('');
      const arguments_ = parts.get('apt') ?? '';
      expect(arguments_).toMatch(/^Inst .*-s .*dist-upgrade\nE: broken\n$/);
      expect(arguments_).toContain('-o Debug::NoLocking=true');
      expect(arguments_).toContain('-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=');
      expect(arguments_).not.toContain('Conf');
    },
  },
  {
    name: 'states when the lists of apt were fetched',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { files } = bench.machine;
      const folder = bench.machine.nodePath('/var/lib/apt/lists');
      await files.mkdir(`${folder}/partial`);
      // Without lists, the time of the folder says nothing.
      const empty = await inspectContainer(bench, 'updates', { 'apt-get': ':' });
      expect(empty.parts.get('lists')).toBe('');
      await files.write(`${folder}/deb.example_dists_stable_InRelease`, 'x');
      const programs = {
        'apt-get': ':',
        stat: 'for f in "$@"; do case $f in */lists) echo 1000;; */partial) echo 2000;; esac; done',
      };
      // A failed update changes the folder of what is being fetched.
      const { parts } = await inspectContainer(bench, 'updates', programs);
      expect(parts.get('lists')).toBe('1000\n');
    },
  },
  {
    name: 'runs apk without network, and apt-get first if both exist',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const both = await inspectContainer(bench, 'updates', { 'apt-get': 'exit 127', apk: 'echo "$*"' });
      expect([...both.parts.keys()]).toEqual(['lists', 'apt']);
      const few = { onlyPrograms: FEW };
      const { parts } = await inspectContainer(bench, 'updates', { apk: 'echo "$*"' }, few);
      expect(parts.get('apk')).toBe('--no-network version -v -l <\n');
      expect(parts.get('lists')).toBe('');
    },
  },
  {
    name: 'reports that dnf and zypper cannot be run if the container allows no private file systems',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const few = { onlyPrograms: FEW };
      const unshare = 'exit 1';
      const dnf = await inspectContainer(bench, 'updates', { dnf: 'echo "$*"', unshare }, few);
      expect([dnf.codes.get('dnf'), dnf.codes.get('dnf-security'), dnf.parts.get('dnf')]).toEqual([
        97,
        97,
        '',
      ]);
      const programs = { zypper: 'echo "$*"', unshare: 'shift; "$@"', true: '', mount: 'exit 1' };
      const zypper = await inspectContainer(bench, 'updates', programs, few);
      expect([zypper.codes.get('zypper'), zypper.parts.get('zypper')]).toEqual([97, '']);
    },
  },
  {
    name: 'shows the last errors of the journal, and bounds the length of a line',
    run: async (bench) => {
      const journalctl = `case "$*" in *"-n 1 "*) echo entry;; *) echo "$*"; printf '%0700d\\n' 1;; esac`;
      const { parts } = await inspectContainer(bench, 'logs', { journalctl });
      const [call = '', long = ''] = (parts.get('journal') ?? '').split('\n');
      expect(call).toBe('-q -p err -n 20 -o short-iso --no-pager');
      expect(long).toHaveLength(600);
    },
  },
];
