import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { readLog } from './inspect-protocol.ts';

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
        '-n',
        '50',
      ]);
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

async function writeLog({ machine }: Bench, content: string): Promise<string> {
  const path = `${await machine.folder()}/a.log`;
  await machine.files.write(path, content);
  return path;
}
