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

/** A journalctl that prints its arguments and accepts one cursor. 0x5f5e100 µs are 100 s. */
const JOURNALCTL = `
case "$*" in
  *--show-cursor*) echo entry; echo "-- cursor: ${CURSOR(9, '5f5e101')}";;
  *--help*) echo "  --no-hostname  x";;
  *"--since=bad"*) exit 1;;
  *"-n 0"*) ;;
  *) printf '%s\\n' "$@";;
esac`;

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
