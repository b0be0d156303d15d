import { expect } from 'vitest';
import type { Case } from './cases.ts';
import { runCommand } from './protocol.ts';

const EXIT_CODES: readonly [name: string, command: string, code: number][] = [
  ['0 for a command that succeeds', 'true', 0],
  ['1 for a command that fails', 'false', 1],
  ['3 for "exit 3"', 'exit 3', 3],
  ['255 for "exit 255"', 'exit 255', 255],
  ['126 for a file that is not executable', '/etc/passwd', 126],
  ['127 for a command that does not exist', 'no-such-command-here', 127],
  ['137 for a command that KILL ends', 'kill -9 $$', 137],
  ['143 for a command that TERM ends', 'kill -TERM $$', 143],
  ['4 for several lines, the last of which exits with 4', 'true\n(exit 4)\n', 4],
  ['5 for a command that ends in a comment', 'exit 5 # done', 5],
];

export const EXEC_CASES: readonly Case[] = [
  ...EXIT_CODES.map(
    ([name, command, code]): Case => ({
      name: `reports the exit code ${name}`,
      run: async (bench) => {
        expect(await runCommand(bench, command)).toMatchObject({ started: true, exitCode: code, stdout: '' });
      },
    }),
  ),
  {
    name: 'reports a syntax error as a failure',
    run: async (bench) => {
      const result = await runCommand(bench, 'if');
      expect(result.exitCode).toBeGreaterThan(0);
      expect(result.stderr).not.toBe('');
    },
  },
  {
    name: 'keeps stdout and stderr apart, byte for byte',
    run: async (bench) => {
      const result = await runCommand(bench, `printf 'a\\nno newline'; printf 'b "$HOME"\\n' >&2`);
      expect(result).toMatchObject({ stdout: 'a\nno newline', stderr: 'b "$HOME"\n', exitCode: 0 });
    },
  },
  {
    name: 'adds no message of the shell when a signal ends the command',
    run: async (bench) => {
      expect(await runCommand(bench, 'kill -9 $$')).toMatchObject({ stdout: '', stderr: '' });
    },
  },
  {
    name: 'gives the command an empty stdin',
    run: async (bench) => {
      expect(await runCommand(bench, 'cat; echo end')).toMatchObject({ stdout: 'end\n', exitCode: 0 });
    },
  },
  {
    name: 'runs the command in the home directory',
    run: async (bench) => {
      const home = await bench.machine.folder();
      expect((await runCommand(bench, 'pwd', { env: { HOME: home } })).stdout).toBe(`${home}\n`);
    },
  },
  {
    name: 'runs the command in / where the home directory does not exist',
    run: async (bench) => {
      const env = { HOME: '/no/such/home' };
      expect(await runCommand(bench, 'pwd', { env })).toMatchObject({ stdout: '/\n', exitCode: 0 });
    },
  },
  {
    name: 'reports the exit code while a background child keeps the streams open',
    needs: ['isolated'],
    run: async (bench) => {
      const result = await runCommand(bench, 'sleep 60 & echo begun; exit 6', { isolated: true });
      expect(result).toMatchObject({ stdout: 'begun\n', exitCode: 6 });
    },
  },
  {
    name: 'reports the exit code of a command that sends TERM to its process group',
    needs: ['processGroups'],
    run: async (bench) => {
      expect(await runCommand(bench, 'echo begun; kill -TERM 0; sleep 60')).toMatchObject({
        stdout: 'begun\n',
        exitCode: 143,
      });
    },
  },
  {
    name: 'reports the exit code of a command that sends TERM to its parent',
    run: async (bench) => {
      expect(await runCommand(bench, 'kill $PPID; sleep 0.2; exit 9')).toMatchObject({ exitCode: 9 });
    },
  },
  {
    name: 'does not report an end when its wrapper is killed',
    run: async (bench) => {
      expect(await runCommand(bench, 'echo begun; kill -9 $PPID')).toMatchObject({
        started: true,
        stdout: 'begun\n',
        exitCode: null,
      });
    },
  },
  {
    name: 'reports the exit code of a command that closes its streams',
    run: async (bench) => {
      expect(await runCommand(bench, 'exec >&- 2>&-; exit 8')).toMatchObject({ exitCode: 8 });
    },
  },
];
