import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { readLog } from './inspect-protocol.ts';

/** One line in each form of time that since and until understand, of 2026-05-14, and a line without a time. */
const TIMES = `before the first time
2026-05-14 10:00:00,123 INFO local
    at a line that belongs to it
2026-05-14T10:30:00.5Z with a zone
2026-05-14T13:00:00+02:00 of 11:00 UTC
[2026-05-14 11:15:00 -0030] of 11:45 UTC
2026/05/14 12:00:00 [error] nginx
May 14 12:30:00 host app[1]: syslog
1.2.3.4 - - [14/May/2026:13:00:00 +0000] "GET / HTTP/1.1" 200
[Thu May 14 13:30:00.123456 2026] [core:error] Apache
`;
const FEBRUARY = 'Feb 29 12:00:00 host syslog of a leap year\n';
/** 1778760000 is 2026-05-14 12:00 UTC. */
const NOON = 1_778_760_000;

const CURSOR = (index: number, hex: string) => `s=ab01;i=${index};b=cd;m=1;t=${hex};x=1`;

/** A journalctl without -o with-unit that prints its arguments and accepts one cursor. 0x5f5e100 µs are 100 s. */
const JOURNALCTL = `
case "$*" in
  *--show-cursor*) echo entry; echo "-- cursor: ${CURSOR(9, '5f5e101')}";;
  *--help*) echo "  --no-hostname  x";;
  *"--since=bad"* | *with-unit*) exit 1;;
  *"-n 0"*) ;;
  *) printf '%s\\n' "$@";;
esac`;

/** An entry as journalctl prints it in both formats. */
function entry(second: number, name: string, unit: string | null, text: string, pid?: number) {
  const time = `10:00:${String(second).padStart(2, '0')}`;
  const tail = `${pid === undefined ? '' : `[${pid}]`}: ${text}`;
  const indented = (head: string) => `${head}${tail.replaceAll('\n', `\n${' '.repeat(34)}`)}`;
  return {
    iso: indented(`2026-05-14T${time}+0000 ${name}`),
    withUnit: indented(`Thu 2026-05-14 ${time} UTC ${unit ?? name}`),
  };
}

const ENTRIES = [
  entry(1, 'nginx', 'nginx.service', 'up [x]: y', 11),
  entry(2, 'java', 'app.service', 'one\ntwo', 12),
  entry(3, 'kernel', null, 'oom'),
  entry(4, '(sd-pam)', 'user@0.service/a\\x2db.service', 'z', 14),
];

/** A journalctl that prints entries, and others in the format with units. */
function journal(entries: readonly ReturnType<typeof entry>[], later = entries): string {
  const print = (text: string) => `cat <<'END_OF_ENTRIES'\n${text}\nEND_OF_ENTRIES\n`;
  return `
case "$*" in
  *--show-cursor*) echo entry; echo "-- cursor: ${CURSOR(9, '5f5e101')}";;
  *--help*) echo "  --no-hostname  x";;
  *"-n 0"*) ;;
  *with-unit*) ${print(later.map(({ withUnit }) => withUnit).join('\n'))};;
  *) ${print(entries.map(({ iso }) => iso).join('\n'))};;
esac`;
}

export const READ_LOG_CASES: readonly Case[] = [
  {
    name: 'prints the last lines of a file with their numbers',
    run: async (bench) => {
      const path = await writeLog(bench, lines(1, 5000));
      const { lines: shown, ended, report } = await readLog(bench, { path, lines: 2 });
      expect(shown).toEqual(['4999:line 4999', '5000:line 5000']);
      expect(ended).toBe(true);
      expect(report.get('file')).toMatch(/^\d+:\d+ 0 (\d+) \1$/);
    },
  },
  {
    name: 'takes a fixed string literally',
    run: async (bench) => {
      const path = await writeLog(bench, 'a.c\nabc\n-e a.c $(x)\n');
      const found = await readLog(bench, { path, how: 'fixed', pattern: 'a.c' });
      expect(found.lines).toEqual(['1:1:a.c', '2:3:-e a.c $(x)']);
      const option = await readLog(bench, { path, how: 'fixed', pattern: '-e a' });
      expect(option.lines).toEqual(['1:3:-e a.c $(x)']);
    },
  },
  {
    name: 'matches an extended regular expression, with lines around each match',
    run: async (bench) => {
      const path = await writeLog(bench, lines(1, 20));
      const { lines: shown, report } = await readLog(bench, {
        path,
        how: 'regex',
        pattern: 'line (5|15)$',
        context: 1,
      });
      expect(shown).toEqual([
        '1:4-line 4',
        '2:5:line 5',
        '3:6-line 6',
        '4:--',
        '5:14-line 14',
        '6:15:line 15',
        '7:16-line 16',
      ]);
      expect(report.get('total')).toBe('2');
    },
  },
  {
    name: 'pages backwards by the number of lines that were shown',
    run: async (bench) => {
      const path = await writeLog(bench, lines(1, 50));
      const page = (seen: number) => readLog(bench, { path, how: 'fixed', pattern: '5', lines: 2, seen });
      expect((await page(0)).lines).toEqual(['5:45:line 45', '6:50:line 50']);
      expect((await page(2)).lines).toEqual(['3:25:line 25', '4:35:line 35']);
      expect((await page(5)).lines).toEqual(['1:5:line 5']);
      expect((await page(6)).lines).toEqual([]);
    },
  },
  {
    name: 'pages forwards from the first line',
    run: async (bench) => {
      const path = await writeLog(bench, lines(1, 50));
      const page = async (seen: number, how: 'fixed' | 'all') =>
        (await readLog(bench, { path, how, pattern: '5', lines: 2, seen, head: true })).lines;
      expect(await page(0, 'fixed')).toEqual(['1:5:line 5', '2:15:line 15']);
      expect(await page(2, 'fixed')).toEqual(['3:25:line 25', '4:35:line 35']);
      expect(await page(6, 'fixed')).toEqual([]);
      expect(await page(0, 'all')).toEqual(['1:line 1', '2:line 2']);
      expect(await page(2, 'all')).toEqual(['3:line 3', '4:line 4']);
      const cut = await readLog(bench, { path, head: true, bytes: 15 });
      expect(cut.stdout).toContain('WORD lines\n1:line 1\n2:lin');
    },
  },
  {
    name: 'shows the first match and the last one with the lines around them',
    run: async (bench) => {
      const path = await writeLog(bench, lines(1, 50));
      const around = async (head: boolean) =>
        (
          await readLog(bench, { path, how: 'regex', pattern: '[24]0$', lines: 1, context: 1, head })
        ).lines.map((line) => line.replace(/^\d+:/, ''));
      expect(await around(true)).toEqual(['19-line 19', '20:line 20', '21-line 21']);
      expect(await around(false)).toEqual(['39-line 39', '40:line 40', '41-line 41']);
    },
  },
  {
    name: 'stops reading after the first matches',
    run: async (bench) => {
      const hay = await writeLog(bench, `needle\n${'hay\n'.repeat(100_000)}`);
      const journalctl = `case "$*" in *--show-cursor* | *--help* | *"-n 0"* | *with-unit*) ;; *)
        cat ${hay} && echo all >${hay}.read
        exit;; esac${JOURNALCTL}`;
      const request = { how: 'fixed', pattern: 'needle', lines: 1, head: true } as const;
      expect((await readLog(bench, { ...request, programs: { journalctl } })).lines).toHaveLength(1);
      expect(await bench.machine.files.read(`${hay}.read`)).toBeUndefined();
    },
  },
  {
    name: 'counts without printing lines',
    run: async (bench) => {
      const path = await writeLog(bench, lines(1, 100));
      const all = await readLog(bench, { path, countOnly: true });
      expect([all.report.get('total'), all.lines]).toEqual(['100', []]);
      const some = await readLog(bench, { path, how: 'fixed', pattern: '9', countOnly: true });
      expect(some.report.get('total')).toBe('19');
    },
  },
  {
    name: 'reads the content at the time of the first page, then what was added',
    run: async (bench) => {
      const path = await writeLog(bench, 'one\ntwo\n');
      const [id = '', , , next = ''] = (await readLog(bench, { path })).report.get('file')?.split(' ') ?? [];
      await bench.machine.files.append(path, Buffer.from('three\nfour\n'));
      expect((await readLog(bench, { path, more: [id, '0', '8'] })).lines).toEqual(['1:one', '2:two']);
      const later = await readLog(bench, { path, more: [id, next, ''] });
      expect(later.lines).toEqual(['1:three', '2:four']);
      expect(later.report.has('rotated')).toBe(false);
    },
  },
  {
    name: 'continues at the last complete line',
    run: async (bench) => {
      const path = await writeLog(bench, 'one\nhalf');
      const { report, lines: shown } = await readLog(bench, { path });
      expect(shown).toEqual(['1:one', '2:half']);
      expect(report.get('file')).toMatch(/ 0 8 4$/);
    },
  },
  {
    name: 'detects a rotated log',
    run: async (bench) => {
      const { files } = bench.machine;
      const path = await writeLog(bench, 'old one\nold two\n');
      const [id = ''] = (await readLog(bench, { path })).report.get('file')?.split(' ') ?? [];
      // Smaller than the part that was read, as after copytruncate.
      await files.write(path, 'new\n');
      const later = await readLog(bench, { path, more: [id, '16', ''] });
      expect(later.report.has('rotated')).toBe(true);
      expect(later.lines).toEqual(['1:new']);
      const older = await readLog(bench, { path, more: [id, '0', '16'], seen: 1 });
      expect(older.report.get('failed')).toBe(`ROTATED ${path}`);
      const next = await readLog(bench, { path, more: ['1:1', '0', ''], seen: 1, head: true });
      expect(next.report.get('failed')).toBe(`ROTATED ${path}`);
      const replaced = await readLog(bench, { path, more: ['1:1', '0', ''] });
      expect(replaced.report.has('rotated')).toBe(true);
    },
  },
  {
    name: 'bounds the bytes of a page and of a line',
    run: async (bench) => {
      const path = await writeLog(bench, `${'x'.repeat(9000)}\n${lines(1, 1000)}`);
      const cut = await readLog(bench, { path, lines: 2000, bytes: 100 });
      expect(cut.stdout.split('WORD lines\n')[1]?.split('WORD ended')[0]).toHaveLength(100);
      const long = await readLog(bench, { path, how: 'fixed', pattern: 'xx', lines: 5 });
      expect(long.lines[0]).toHaveLength(4000);
    },
  },
  {
    name: 'refuses anything other than a regular file before it reads',
    needs: ['fifos'],
    run: async (bench) => {
      const folder = await bench.machine.folder();
      await bench.machine.files.fifo(`${folder}/fifo`);
      const failure = async (path: string) => (await readLog(bench, { path })).report.get('failed');
      expect(await failure(`${folder}/none`)).toBe(`SOURCE_NOT_FOUND ${folder}/none`);
      expect(await failure(folder)).toBe(`IS_A_DIRECTORY ${folder}`);
      expect(await failure(`${folder}/fifo`)).toBe(`NOT_A_REGULAR_FILE ${folder}/fifo`);
      expect(await failure('/dev/zero')).toBe('NOT_A_REGULAR_FILE /dev/zero');
      expect(await failure('/proc/self/status')).toBe('PSEUDO_FILE /proc/self/status');
    },
  },
  {
    name: 'names the program that is missing',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const path = await writeLog(bench, 'x\n');
      const options = { onlyPrograms: ['cat', 'head', 'cut', 'grep'] };
      expect((await readLog(bench, { path, options })).report.get('failed')).toBe('TOOL_MISSING tail');
    },
  },
  {
    name: 'selects lines of a file by time, in each form of time',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const path = await writeLog(bench, TIMES);
      const options = { env: { TZ: 'UTC0' } };
      const between = async (since: string, until: string) =>
        (await readLog(bench, { path, options, more: ['', '0', '', since, until] })).lines.map((line) =>
          line.replace(/^\d+:/, ''),
        );
      const all = TIMES.trimEnd().split('\n');
      expect(await between('2026-05-14 10:00:00', '')).toEqual(all.slice(1));
      expect(await between('', '2026-05-14 10:59:59')).toEqual(all.slice(1, 4));
      expect(await between('2026-05-14 11:00:00', '2026-05-14 12:00:00')).toEqual(all.slice(4, 7));
      expect(await between(`@${NOON}.000`, `@${NOON + 3600}.000`)).toEqual(all.slice(6, 9));
      expect(await between('2026-05-14 13:30:01', '')).toEqual([]);
    },
  },
  {
    name: 'compares local times with those of lines without a zone, and others with those that have one',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const path = await writeLog(bench, TIMES);
      // Five hours behind: 12:00 UTC is 07:00.
      const options = { env: { TZ: 'EST5' } };
      const more = ['', '0', '', '2026-05-14 12:15:00', '2026-05-14 13:45:00'];
      const { lines: shown } = await readLog(bench, { path, options, more });
      expect(shown.map((line) => line.slice(2, 12))).toEqual(['May 14 12:', '[Thu May 1']);
      const utc = await readLog(bench, {
        path,
        options,
        more: ['', '0', '', `@${NOON - 3600}.000`, `@${NOON}.000`],
      });
      expect(utc.lines.map((line) => line.slice(2, 12))).toEqual(['2026-05-14', '[2026-05-1']);
    },
  },
  {
    name: 'compares times before now with the time of the first page',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const path = await writeLog(bench, TIMES);
      const options = { env: { TZ: 'UTC0' } };
      const more = ['', '0', '', '-3600', '-1800'];
      const { lines: shown, report } = await readLog(bench, { path, options, more, clock: NOON });
      expect(shown.map((line) => line.slice(2, 21))).toEqual(['2026-05-14T13:00:00']);
      expect(report.get('clock')).toBe(String(NOON));
      const now = Number((await readLog(bench, { path, options, more })).report.get('clock'));
      expect(now).toBeGreaterThan(NOON);
      const absolute = ['', '0', '', '2026-05-14 10:00:00', ''];
      expect((await readLog(bench, { path, options, more: absolute })).report.has('clock')).toBe(false);
    },
  },
  {
    name: 'takes a line of syslog, which has no year, for the last one that is not in the future',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const now = new Date();
      const path = await writeLog(bench, `${FEBRUARY}Dec 31 23:59:59 host x\n`);
      const year = now.getUTCFullYear() - 1;
      const more = ['', '0', '', `${year}-12-31 00:00:00`, `${year}-12-31 23:59:59`];
      const { lines: shown } = await readLog(bench, { path, more, options: { env: { TZ: 'UTC0' } } });
      // Not on the last day of a year, whose line is of today.
      if (now.getUTCMonth() !== 11 || now.getUTCDate() !== 31)
        expect(shown).toEqual(['1:Dec 31 23:59:59 host x']);
    },
  },
  {
    name: 'refuses a range of time for a file without times, and without awk',
    needs: ['awkAndGzip', 'missingPrograms'],
    run: async (bench) => {
      const path = await writeLog(bench, lines(1, 10));
      const more = ['', '0', '', '-3600', ''];
      expect((await readLog(bench, { path, more })).report.get('failed')).toBe(`NO_TIMES ${path}`);
      const options = { onlyPrograms: ['cat', 'head', 'cut', 'grep', 'tail', 'stat', 'date'] };
      expect((await readLog(bench, { path, more, options })).report.get('failed')).toBe('TOOL_MISSING awk');
    },
  },
  {
    name: 'decompresses a file, and pages through it',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const path = `${await bench.machine.folder()}/a.log.2.gz`;
      await bench.machine.files.write(path, gzipSync(lines(1, 100)));
      const first = await readLog(bench, { path, lines: 2 });
      expect(first.lines).toEqual(['99:line 99', '100:line 100']);
      const [id = '', , size = '', next] = first.report.get('file')?.split(' ') ?? [];
      expect(next).toBe('-');
      const older = await readLog(bench, { path, lines: 2, seen: 2, more: [id, '0', size, '', ''] });
      expect(older.lines).toEqual(['97:line 97', '98:line 98']);
      const match = await readLog(bench, { path, how: 'fixed', pattern: 'line 7', countOnly: true });
      expect(match.report.get('total')).toBe('11');
    },
  },
  {
    name: 'reports a compressed file that is damaged, after the lines before the fault',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const path = `${await bench.machine.folder()}/a.gz`;
      const whole = gzipSync(
        Array.from({ length: 30_000 }, (_, index) => `${(index * 7919) % 30_000}\n`).join(''),
      );
      await bench.machine.files.write(path, whole.subarray(0, whole.length - 1000));
      const shown = await readLog(bench, { path, lines: 2 });
      expect(shown.lines).toHaveLength(3);
      expect(shown.lines[2]).toMatch(/WORD broken [1-9]/);
      expect((await readLog(bench, { path, countOnly: true })).report.get('broken')).toMatch(/^[1-9]/);
      const text = await writeLog(bench, 'no gzip\n', 'b.gz');
      expect((await readLog(bench, { path: text })).lines).toEqual([
        expect.stringMatching(/^WORD broken [1-9]/),
      ]);
    },
  },
  {
    name: 'names the program that is missing for a compressed file',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const path = await writeLog(bench, 'x', 'a.log.zst');
      const options = { onlyPrograms: ['cat', 'head', 'cut', 'grep', 'tail', 'stat'] };
      expect((await readLog(bench, { path, options })).report.get('failed')).toBe('TOOL_MISSING zstd');
    },
  },
  {
    name: 'names files with similar names',
    run: async (bench) => {
      const path = await writeLog(bench, 'x\n');
      const folder = path.slice(0, -'/a.log'.length);
      for (const name of ['a.log.1', 'a.log-20260513', 'a.log.2.gz', 'other.log', 'a.logs'])
        await bench.machine.files.write(`${folder}/${name}`, 'old\n');
      const near = async (of: string) =>
        (await readLog(bench, { path: of })).stdout
          .split('\n')
          .filter((line) => line.startsWith('WORD near '))
          .map((line) => line.replace(`${folder}/`, ''))
          .sort();
      const older = ['WORD near 4 a.log-20260513', 'WORD near 4 a.log.1', 'WORD near 4 a.log.2.gz'];
      expect(await near(path)).toEqual(older);
      // A rotated file that does not exist.
      expect(await near(`${folder}/a.log.5`)).toEqual([
        'WORD near 2 a.log',
        'WORD near 4 a.log.1',
        'WORD near 4 a.log.2.gz',
      ]);
      expect((await readLog(bench, { path: `${folder}/a.log.5` })).report.has('failed')).toBe(true);
    },
  },
  {
    name: 'refuses the journal if there is none',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const options = { onlyPrograms: ['cat', 'head', 'cut', 'grep', 'tail', 'sed'] };
      expect((await readLog(bench, { options })).report.get('failed')).toBe(
        'NO_JOURNAL journalctl is not installed',
      );
      const silent = await readLog(bench, { programs: { journalctl: 'exit 0' } });
      expect(silent.report.get('failed')).toBe('NO_JOURNAL the journal has no entries');
    },
  },
  {
    name: 'reads the last entries up to the newest from journalctl',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { lines: shown, report } = await readLog(bench, {
        lines: 50,
        more: ['', '', 'nginx', 'err', '-60', ''],
        programs: { journalctl: JOURNALCTL, date: 'echo 1000' },
      });
      expect(report.get('journal')).toBe(CURSOR(9, '5f5e101'));
      expect(report.get('clock')).toBe('1000');
      expect(shown.map((line) => line.replace(/^\d+:/, ''))).toEqual([
        '-q',
        '--no-pager',
        '-a',
        '-o',
        'short-iso',
        '--until=@100.000001',
        '--no-hostname',
        '--unit=nginx',
        '--priority=err',
        '--since=@940',
      ]);
      // Without since, from the oldest of the entries on, which is searched backwards.
      const last = await readLog(bench, { lines: 50, programs: { journalctl: JOURNALCTL } });
      expect(last.lines.at(-1)).toMatch(new RegExp(`:--cursor=${CURSOR(9, '5f5e101')}$`));
      expect(last.stdout).not.toMatch(/^\d+:-n$/m);
    },
  },
  {
    name: 'reads the entries after a cursor from journalctl, without since',
    run: async (bench) => {
      const { lines: shown } = await readLog(bench, {
        how: 'fixed',
        pattern: 'after-cursor',
        more: [CURSOR(5, '5'), CURSOR(7, 'f4240'), '', '', '-60', ''],
        programs: { journalctl: JOURNALCTL },
      });
      expect(shown).toEqual([`1:--after-cursor=${CURSOR(5, '5')}`]);
    },
  },
  {
    name: 'reads no entries from journalctl after a time that is later than the newest one',
    run: async (bench) => {
      // @100.000001 is the newest entry.
      const journalctl = `case "$*" in *--until=@100.000001*--until=@940*) ;; *--since=@940*) exit 1;; esac${JOURNALCTL}`;
      const more = ['', '', '', '', '-60', ''];
      const { report } = await readLog(bench, { more, clock: 1000, programs: { journalctl } });
      expect(report.get('failed')).toBeUndefined();
    },
  },
  {
    name: 'shows the unit of each entry of the journal',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const programs = { journalctl: journal(ENTRIES) };
      const { lines: shown, report } = await readLog(bench, { programs });
      expect(report.has('units')).toBe(true);
      expect(shown).toEqual([
        '1:1:nginx.service\t2026-05-14T10:00:01+0000 nginx[11]: up [x]: y',
        '2:2:app.service\t2026-05-14T10:00:02+0000 java[12]: one',
        '3:3:app.service\t                                  two',
        '4:4:\t2026-05-14T10:00:03+0000 kernel: oom',
        '5:5:user@0.service/a\\x2db.service\t2026-05-14T10:00:04+0000 (sd-pam)[14]: z',
      ]);
      const match = { how: 'fixed', pattern: 'o', context: 1, lines: 1, programs } as const;
      expect((await readLog(bench, { ...match, pattern: 'two' })).lines).toEqual([
        '1:2-app.service\t2026-05-14T10:00:02+0000 java[12]: one',
        '2:3:app.service\t                                  two',
        '3:4-\t2026-05-14T10:00:03+0000 kernel: oom',
      ]);
      const unit = await readLog(bench, { programs, more: ['', '', 'nginx', '', '', ''] });
      expect(unit.report.has('units')).toBe(false);
      const pattern = await readLog(bench, { programs, more: ['', '', 'nginx*', '', '', ''] });
      expect(pattern.report.has('units')).toBe(true);
    },
  },
  {
    name: 'counts by unit, and bounds the names',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const count = async (request: object) =>
        (await readLog(bench, { countOnly: true, ...request })).stdout
          .split('\n')
          .filter((line) => /^WORD (?:total|unit|names) /.test(line));
      const programs = { journalctl: journal(ENTRIES) };
      expect(await count({ programs })).toEqual([
        'WORD total 5',
        'WORD unit 2 app.service',
        'WORD unit 1 kernel',
        'WORD unit 1 nginx.service',
        'WORD unit 1 user@0.service/a\\x2db.service',
        'WORD names 4',
      ]);
      expect(await count({ programs, how: 'fixed', pattern: 'two' })).toEqual([
        'WORD total 1',
        'WORD unit 1 app.service',
        'WORD names 1',
      ]);
      const many = Array.from({ length: 50 }, (_, index) =>
        entry(index, `p${index}`, `u${index}.service`, 'x'),
      );
      const found = await count({ programs: { journalctl: journal(many) } });
      expect(found.slice(1, -1)).toHaveLength(20);
      expect(found.at(-1)).toBe('WORD names 50');
    },
  },
  {
    name: 'gives no line the unit of another one, whatever the name of a program contains',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      // With -a, journalctl prints a newline in the name. Only the format without units shows the name.
      const evil = Array.from({ length: 30 }, (_, index) =>
        entry(index, `ssh.service[1]: a\nssh.service`, 'evil.service', `e${index}`),
      );
      const programs = { journalctl: journal([...evil, ...ENTRIES]) };
      const { lines: shown } = await readLog(bench, { programs, lines: 65 });
      expect(shown.filter((line) => /^\d+:\d+:ssh/.test(line))).toEqual([]);
      expect(shown.filter((line) => line.includes(': e'))).toHaveLength(30);
      expect(shown.at(-1)).toContain(':user@0.service/a\\x2db.service\t');
      const rare = await readLog(bench, { programs, how: 'fixed', pattern: 'up [x]' });
      expect(rare.lines[0]).toMatch(/^1:61:nginx\.service\t/);
      // Entries that were removed meanwhile.
      const lost = { journalctl: journal(ENTRIES, ENTRIES.slice(0, 1)) };
      const { lines: cut } = await readLog(bench, { programs: lost });
      expect(cut.map((line) => line.split('\t')[0])).toEqual([
        '1:1:nginx.service',
        '2:2:',
        '3:3:',
        '4:4:',
        '5:5:',
      ]);
    },
  },
  {
    name: 'shows no units if journalctl is older than systemd 239',
    needs: ['awkAndGzip'],
    run: async (bench) => {
      const journalctl = `case "$*" in *with-unit*) exit 1;; esac${journal(ENTRIES)}`;
      const { lines: shown, report } = await readLog(bench, { lines: 1, programs: { journalctl } });
      expect(report.has('units')).toBe(false);
      expect(shown[0]).toMatch(/^5:2026-05-14T10:00:04/);
      const count = await readLog(bench, { countOnly: true, programs: { journalctl } });
      expect([count.report.get('total'), count.report.has('names')]).toEqual(['5', false]);
    },
  },
  {
    name: 'reports a unit that never wrote to the journal',
    run: async (bench) => {
      const read = async (unit: string) => {
        const journalctl = `case "$*" in *"-n 1 "*"--unit=ngnix"*) exit 0;; esac${JOURNALCTL}`;
        const more = ['', '', unit, '', '', ''];
        return (await readLog(bench, { more, programs: { journalctl } })).report.has('silent');
      };
      expect([await read('nginx'), await read('ngnix'), await read('')]).toEqual([false, true, false]);
    },
  },
  {
    name: 'refuses a pattern that grep does not accept',
    run: async (bench) => {
      const path = await writeLog(bench, lines(1, 3));
      for (const pattern of ['(', 'a{2,1}', 'line ((1)']) {
        const matching = await readLog(bench, { path, how: 'regex', pattern });
        const grouping = await readLog(bench, { path, group: `text:${pattern}` });
        for (const { report } of [matching, grouping]) {
          expect(report.get('failed') ?? '', pattern).toMatch(/^PATTERN ./);
        }
      }
    },
  },
  {
    name: 'refuses a time that journalctl rejects',
    run: async (bench) => {
      const { report } = await readLog(bench, {
        more: ['', '', '', '', 'bad', ''],
        programs: { journalctl: JOURNALCTL },
      });
      expect(report.get('failed')).toMatch(/^REFUSED /);
    },
  },
];

function lines(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');
}

async function writeLog({ machine }: Bench, content: string, name = 'a.log'): Promise<string> {
  const path = `${await machine.folder()}/${name}`;
  await machine.files.write(path, content);
  return path;
}
