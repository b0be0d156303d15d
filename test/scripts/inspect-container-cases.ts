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
      expect([...parts.keys()]).toEqual(['os', 'zone', 'inodes', 'mounts']);
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
      const { ended, parts } = await inspectContainer(bench, sections, {}, { onlyPrograms: ['date'] });
      expect(ended).toBe(true);
      expect(parts.get('zone')).toMatch(/[+-]\d{4}\n$/);
      expect([...parts.keys()]).not.toContain('apt');
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
        systemctl: 'echo "$*"; case $1 in show) echo Id=a.service; echo NRestarts=7; echo Other=1;; esac',
      };
      const without = await inspectContainer(bench, 'services', programs, { onlyPrograms: FEW });
      expect(without.parts.has('systemd-state')).toBe(false);
      await bench.machine.files.mkdir(bench.machine.nodePath('/run/systemd/system'));
      const { parts } = await inspectContainer(bench, 'services', programs);
      expect(parts.get('systemd-failed')).toBe('list-units --failed --plain --no-legend --no-pager\n');
      expect(parts.get('systemd-restarts')).toBe('Id=a.service\nNRestarts=7\n');
    },
  },
  {
    name: 'reads services from OpenRC if there is no systemd',
    run: async (bench) => {
      const { parts } = await inspectContainer(bench, 'services', { 'rc-status': 'echo "$* [ crashed ]"' });
      expect(parts.get('openrc')).toBe('-a [ crashed ]\n');
    },
  },
  {
    name: 'simulates an upgrade with apt without a lock and without writing its cache',
    run: async (bench) => {
      const { parts } = await inspectContainer(bench, 'updates', {
        'apt-get': 'echo "Inst $*"; echo "Conf x"',
      });
      const arguments_ = parts.get('apt') ?? '';
      expect(arguments_).toMatch(/^Inst .*-s .*dist-upgrade\n$/);
      expect(arguments_).toContain('-o Debug::NoLocking=true');
      expect(arguments_).toContain('-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=');
      expect(arguments_).not.toContain('Conf');
    },
  },
  {
    name: 'runs apk without network',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { parts } = await inspectContainer(bench, 'updates', { 'apt-get': 'exit 127', apk: 'echo "$*"' });
      // apt-get has precedence if both exist.
      expect([...parts.keys()]).toContain('apt');
      expect(parts.has('apk')).toBe(false);
    },
  },
  {
    name: 'shows the last errors of the journal, and bounds the length of a line',
    run: async (bench) => {
      const journalctl = `case "$*" in *cat*) echo entry;; *) echo "$*"; printf '%0500d\\n' 1;; esac`;
      const { parts } = await inspectContainer(bench, 'logs', { journalctl });
      const [call = '', long = ''] = (parts.get('journal') ?? '').split('\n');
      expect(call).toBe('-q -p err -n 20 -o short-iso --no-pager');
      expect(long).toHaveLength(400);
    },
  },
];
