import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { readLog } from './inspect-protocol.ts';

const CURSOR = 's=ab01;i=9;b=cd;m=1;t=5f5e101;x=1';

/** A journalctl that prints its arguments, or these lines. */
function journalctl(lines?: readonly string[]): string {
  const print = lines === undefined ? `printf '%s\\n' "$@"` : `cat <<'END'\n${lines.join('\n')}\nEND\n`;
  return `
case "$*" in
  *--show-cursor*) echo entry; echo "-- cursor: ${CURSOR}";;
  *with-unit*) exit 1;;
  *"-n 1 "*"--unit=nginx"*) echo entry;;
  *--help* | *"-n "*) ;;
  *) ${print};;
esac`;
}

/** Groups as `LINES FIRST LAST TEXT` without empty fields. */
function shownGroups(groups: readonly string[]): readonly string[] {
  return groups.map((group) =>
    group
      .split('\t')
      .filter((field) => field !== '')
      .join(' | '),
  );
}

/** Reading of several files, counts of equal lines, and the first and the last match. */
export const READ_MANY_LOGS_CASES: readonly Case[] = [
  {
    name: 'reads the files of a pattern as one, the oldest first',
    run: async (bench) => {
      const path = await writeFiles(bench, {
        'a.log.2': 'one\ntwo',
        'a.log.1': 'three\n',
        'a.log': 'four\n',
      });
      const all = await readLog(bench, { path: `${path}*` });
      expect(all.files).toEqual(['a.log.2', 'a.log.1', 'a.log']);
      expect(all.lines).toEqual(['1:one', '2:two', '3:three', '4:four']);
      const first = await readLog(bench, {
        path: `${path}*`,
        how: 'fixed',
        pattern: 'o',
        lines: 2,
        head: true,
      });
      expect(first.lines).toEqual(['1:1:one', '2:2:two']);
      // A file whose name is a pattern is read as itself.
      await bench.machine.files.write(`${path}[1]*`, 'literal\n');
      expect((await readLog(bench, { path: `${path}[1]*` })).lines).toEqual(['1:literal']);
    },
  },
  {
    name: 'continues after the files of a pattern with what is written to the newest one',
    run: async (bench) => {
      const path = await writeFiles(bench, { 'a.log.1': 'one\n', 'a.log': 'two\n' });
      const { report } = await readLog(bench, { path: `${path}*`, lines: 1 });
      const [id = '', , size = '', next = ''] = report.get('file')?.split(' ') ?? [];
      await bench.machine.files.append(path, Buffer.from('three\n'));
      const older = await readLog(bench, {
        path: `${path}*`,
        lines: 5,
        seen: 1,
        more: [id, '0', size, '', ''],
      });
      expect(older.lines).toEqual(['1:one']);
      const later = await readLog(bench, { path: `${path}*`, more: [id, next, '', '', ''] });
      expect(later.lines).toEqual(['1:three']);
      const lost = await readLog(bench, { path: `${path}*`, seen: 1, more: ['1:1', '0', size, '', ''] });
      expect(lost.report.get('failed')).toBe(`ROTATED ${path}*`);
    },
  },
  {
    name: 'reads only regular files with content of a pattern, each once',
    needs: ['fifos'],
    run: async (bench) => {
      const { files } = bench.machine;
      const path = await writeFiles(bench, {
        'a.log': 'new\n',
        'a.log.empty': '',
        'a.log.\nWORD total 9': 'x\n',
      });
      await files.fifo(`${path}.fifo`);
      await files.mkdir(`${path}.d`);
      await files.symlink(path, `${path}.link`);
      await files.symlink('/dev/zero', `${path}.zero`);
      await files.symlink('/proc/self/status', `${path}.virtual`);
      await files.symlink('/nowhere', `${path}.none`);
      const { lines, report, ended } = await readLog(bench, { path: `${path}*` });
      expect(lines.map((line) => line.replace(/^\d+:/, '')).toSorted()).toEqual(['new', 'x']);
      expect([report.has('failed'), ended]).toEqual([false, true]);
      const failure = async (pattern: string) =>
        (await readLog(bench, { path: pattern })).report.get('failed');
      expect(await failure(`${path}.[fevzn]*`)).toBe(`SOURCE_NOT_FOUND ${path}.[fevzn]*`);
      expect(await failure('/proc/self/stat*')).toBe('SOURCE_NOT_FOUND /proc/self/stat*');
      expect(await failure('$(touch x)*')).toBe('SOURCE_NOT_FOUND $(touch x)*');
    },
  },
  {
    name: 'refuses a pattern of more than 200 files',
    run: async (bench) => {
      const names = Array.from({ length: 201 }, (_, index) => [`a.log.${index}`, 'x\n']);
      const path = await writeFiles(bench, Object.fromEntries(names));
      expect((await readLog(bench, { path: `${path}*` })).report.get('failed')).toBe(`TOO_MANY ${path}*`);
    },
  },
  {
    name: 'decompresses the files of a pattern, and reports none as damaged of which not all is read',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const many = Array.from({ length: 200_000 }, (_, index) => `old ${index * 7919}\n`).join('');
      const path = await writeFiles(bench, { 'a.log.2.gz': gzipSync(`${many}end`), 'a.log.1': 'new\n' });
      const first = await readLog(bench, { path: `${path}*`, lines: 1, head: true });
      expect(first.lines).toEqual(['1:old 0']);
      const last = await readLog(bench, { path: `${path}*`, lines: 2 });
      expect(last.lines).toEqual(['200001:end', '200002:new']);
    },
  },
  {
    name: 'shows the first match with the last ones, and both with a count',
    run: async (bench) => {
      const path = await writeFiles(bench, { 'a.log': 'x one\nno\nx two\nx three\n' });
      const match = { path, how: 'fixed', pattern: 'x' } as const;
      const page = await readLog(bench, { ...match, lines: 1 });
      expect([page.first, page.lines]).toEqual(['1:1:x one', ['3:4:x three']]);
      const count = await readLog(bench, { ...match, countOnly: true });
      const reported = ({ report }: typeof count) =>
        ['first', 'last', 'total'].map((name) => report.get(name));
      expect(reported(count)).toEqual(['1:1:x one', '3:4:x three', '3']);
      const single = await readLog(bench, { ...match, pattern: 'no', countOnly: true });
      expect(reported(single)).toEqual(['1:2:no', undefined, '1']);
      const none = await readLog(bench, { ...match, pattern: 'none', countOnly: true });
      expect(reported(none)).toEqual([undefined, undefined, '0']);
      expect((await readLog(bench, { ...match, lines: 2, seen: 1 })).first).toBeUndefined();
    },
  },
  {
    name: 'counts equal messages, whatever their numbers, identifiers and times',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const path = await writeFiles(bench, {
        'a.log': [
          '2026-05-14 10:00:00,123 app[12]: user 17 from 10.0.0.9 took 12 ms',
          '2026-05-14 10:00:01,001 app[13]: user 9 from 10.0.12.9 took 1.5 ms',
          '2026-05-14 10:00:02,5 app[14]: request cafe12ab failed',
          '2026-05-14 10:00:03,5 app[15]: request 12ab34cd failed',
          '2026-05-14 10:00:04,5 app[15]: request xK9dP2q failed',
          '2026-05-14 10:00:05,5 app[12]: user 3 from 10.0.0.9 took 7 ms',
          '2026-05-14 10:00:05,6 app[12]: user 4 from 10.0.0.9 took 1 ms',
          'May 14 10:00:06 host kernel: oom',
          '[Thu May 14 10:00:07.5 2026] host kernel: oom',
          '1.2.3.4 - - [14/May/2026:13:00:00 +0000] "GET /a/1 HTTP/1.1" 200 17',
          '1.2.3.5 - - [14/May/2026:13:00:01 +0000] "GET /a/2 HTTP/1.1" 502 3',
          '',
        ].join('\n'),
      });
      const { groups, report } = await readLog(bench, { path, group: 'message' });
      expect(shownGroups(groups)).toEqual([
        '4 | 2026-05-14 10:00:00,123 | 2026-05-14 10:00:05,6 | app[12]: user 17 from 10.0.0.9 took 12 ms',
        '3 | 2026-05-14 10:00:02,5 | 2026-05-14 10:00:04,5 | app[14]: request cafe12ab failed',
        '2 | May 14 10:00:06 | Thu May 14 10:00:07.5 2026 | host kernel: oom',
        expect.stringMatching(/^1 \|.* 1.2.3.4 - - {2}"GET \/a\/1 HTTP\/1.1" 200 17$/),
        expect.stringMatching(/^1 \|.* 502 3$/),
      ]);
      expect([report.get('total'), report.get('groups')]).toEqual(['11', '5 0 0']);
      const some = await readLog(bench, { path, group: 'message', how: 'fixed', pattern: 'user', lines: 1 });
      expect([some.groups.length, some.report.get('total')]).toEqual([1, '4']);
    },
  },
  {
    name: 'counts lines by time, the last ones, and the texts of a pattern',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const day = (hour: number) => `2026-05-14 ${hour}:15:00 GET ${hour % 2}\n  its detail\n`;
      const path = await writeFiles(bench, { 'a.log': `before\n${day(10)}${day(11)}${day(11)}${day(12)}` });
      const by = async (group: string, lines = 100) =>
        shownGroups((await readLog(bench, { path, group, lines })).groups);
      expect(await by('hour')).toEqual([
        '2 | 2026-05-14 12:00',
        '4 | 2026-05-14 11:00',
        '2 | 2026-05-14 10:00',
      ]);
      expect(await by('minute', 1)).toEqual(['2 | 2026-05-14 12:15']);
      expect(await by('day')).toEqual(['8 | 2026-05-14']);
      expect(await by('text:GET [0-9]')).toEqual(['2 | GET 0', '2 | GET 1']);
      const without = await writeFiles(bench, { 'b.log': 'x\n' }, 'b.log');
      const failed = await readLog(bench, { path: without, group: 'hour' });
      expect(failed.report.get('failed')).toBe(`NO_TIMES ${without}`);
    },
  },
  {
    name: 'bounds the groups of a log of different messages, and keeps those that are frequent',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const letters = 'ghijklmnop';
      const word = (index: number) =>
        String(index).replaceAll(/\d/g, (digit) => letters[Number(digit)] ?? '');
      const lines = Array.from(
        { length: 40_000 },
        (_, index) => `${word(index)}\n${index % 20 ? '' : 'often\n'}`,
      );
      const path = await writeFiles(bench, { 'a.log': lines.join('') });
      const { groups, report } = await readLog(bench, { path, group: 'message', lines: 2 });
      expect(groups[0] ?? '').toMatch(/^19\d\d\t\t\toften$|^2000\t\t\toften$/);
      const [kept = 0, dropped = 0, error = 0] = report.get('groups')?.split(' ').map(Number) ?? [];
      expect(kept).toBeLessThanOrEqual(10_000);
      expect(dropped).toBeGreaterThanOrEqual(30_000);
      expect(error).toBeGreaterThan(0);
    },
  },
  {
    name: 'groups a line of many megabytes by its beginning',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const path = await writeFiles(bench, { 'a.log': `${'a'.repeat(20_000_000)}\nshort\n` });
      const { groups, ended } = await readLog(bench, { path, group: 'message' });
      expect(groups.map((line) => line.length)).toEqual([4 + 300, 4 + 5]);
      expect(ended).toBe(true);
    },
  },
  {
    name: 'names awk where it is missing and lines are to be grouped',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const path = await writeFiles(bench, { 'a.log': 'x\n' });
      const options = { onlyPrograms: ['cat', 'head', 'cut', 'grep', 'tail', 'stat', 'date'] };
      const failed = await readLog(bench, { path, group: 'message', options });
      expect(failed.report.get('failed')).toBe('TOOL_MISSING awk');
    },
  },
  {
    name: 'reads the entries of several units, and names those that never wrote',
    run: async (bench) => {
      const programs = { journalctl: journalctl() };
      const more = ['', '', 'nginx,php*', '', '', ''];
      const { lines, stdout } = await readLog(bench, { lines: 50, more, programs });
      expect(lines.map((line) => line.replace(/^\d+:/, ''))).toEqual(
        expect.arrayContaining(['--unit=nginx', '--unit=php*']),
      );
      expect(stdout).toContain('WORD silent php*\n');
      expect(stdout).not.toContain('WORD silent nginx');
    },
  },
  {
    name: 'counts equal messages of the journal',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const entry = (second: number) =>
        `2026-05-14T10:00:0${second}+0000 nginx[${second}]: worker ${second} exited`;
      const programs = { journalctl: journalctl([entry(1), entry(2)]) };
      const { groups } = await readLog(bench, { group: 'message', programs });
      expect(shownGroups(groups).map((line) => line.replace(/\s+\|/g, ' |'))).toEqual([
        '2 | 2026-05-14T10:00:01+0000 | 2026-05-14T10:00:02+0000 | nginx[1]: worker 1 exited',
      ]);
    },
  },
  {
    name: 'takes a time of the day for one of today or yesterday',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const now = new Date();
      const day = (before: number) =>
        new Date(now.getTime() - before * 86_400_000).toISOString().slice(0, 10);
      const path = await writeFiles(bench, {
        'a.log': [2, 1, 0].map((before) => `${day(before)} 03:00:00 x\n${day(before)} 04:00:00 y\n`).join(''),
      });
      const options = { env: { TZ: 'UTC0' } };
      const since = async (time: string, until = '') =>
        (await readLog(bench, { path, options, more: ['', '0', '', time, until] })).lines.length;
      expect([await since('yesterday 03:30:00'), await since('today 03:30:00')]).toEqual([3, 1]);
      expect(await since('yesterday 00:00:00', 'today 03:00:00')).toBe(3);
    },
  },
];

/** @returns the path of the file `name` in their folder */
async function writeFiles(
  { machine }: Bench,
  contents: Readonly<Record<string, string | Buffer>>,
  name = 'a.log',
): Promise<string> {
  const folder = await machine.folder();
  for (const [file, content] of Object.entries(contents))
    await machine.files.write(`${folder}/${file}`, content);
  return `${folder}/${name}`;
}
