import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { finish, NONCE } from './protocol.ts';

const CLAIMS = '/run/proxmox-mcp/starts';

export const START_CLAIM_CASES: readonly Case[] = [
  {
    name: 'is given once',
    run: async (bench) => {
      expect(await claim(bench, 'one')).toEqual({ code: 0, stdout: 'started\n' });
      expect(await claim(bench, 'one')).toEqual({ code: 97, stdout: '' });
      expect(await claim(bench, 'other')).toEqual({ code: 0, stdout: 'started\n' });
      expect(await claims(bench)).toEqual(['one', 'other']);
    },
  },
  {
    name: 'is given to only one of several at the same time',
    run: async (bench) => {
      const codes = await Promise.all([1, 2, 3, 4].map(async () => (await claim(bench, 'one')).code));
      expect(codes.sort()).toEqual([0, 97, 97, 97]);
    },
  },
  {
    name: 'is given to a server that names the boot ID, and then to no request',
    run: async (bench) => {
      expect(await claim(bench, 'one', await bootId(bench))).toMatchObject({ code: 0 });
      expect(await claim(bench, 'one')).toEqual({ code: 97, stdout: '' });
    },
  },
  {
    name: 'is not given after a restart of the node',
    run: async (bench) => {
      expect(await claim(bench, 'one', '11111111-2222-3333-4444-555555555555')).toEqual({
        code: 98,
        stdout: '',
      });
      expect(await claims(bench)).toEqual([]);
    },
  },
  {
    name: 'is refused where it cannot be written',
    run: async (bench) => {
      const { machine } = bench;
      await machine.files.write(machine.nodePath('/run/proxmox-mcp'), 'not a directory');
      expect(await claim(bench, 'one')).toEqual({ code: 96, stdout: `${NONCE} refused unclaimed\n` });
    },
  },
  {
    name: 'leaves the shell able to replace files',
    run: async (bench) => {
      const { machine, scripts } = bench;
      const file = `${await machine.folder()}/file`;
      const script = `n=${NONCE}\nf=$4\n${scripts.claimStart}echo 1 >"$f"; echo 2 >"$f"`;
      const { code } = await finish(machine.start(script, [machine.nodePath(CLAIMS), 'one', '', file]));
      expect(code).toBe(0);
      expect(await machine.files.read(file)).toBe('2\n');
    },
  },
  {
    name: 'is removed by its name, or after two days',
    run: async (bench) => {
      const { machine, scripts } = bench;
      for (const name of ['started', 'running', 'old']) await claim(bench, name);
      const directory = machine.nodePath(CLAIMS);
      await finish(machine.start('touch -d "2020-01-01 00:00" "$1"', [`${directory}/old`]));
      const { code } = await finish(machine.start(scripts.removeClaims, [directory, 'started', 'unknown']));
      expect(code).toBe(0);
      expect(await claims(bench)).toEqual(['running']);
    },
  },
];

/** Runs claim-start.sh in front of a request. */
async function claim({ machine, scripts }: Bench, name: string, boot = '') {
  const script = `n=${NONCE}\n${scripts.claimStart}echo started`;
  const { code, stdout } = await finish(machine.start(script, [machine.nodePath(CLAIMS), name, boot]));
  return { code, stdout };
}

async function bootId({ machine }: Bench): Promise<string> {
  return (await finish(machine.start('cat /proc/sys/kernel/random/boot_id', []))).stdout.trim();
}

function claims({ machine }: Bench): Promise<readonly string[]> {
  return machine.files.list(machine.nodePath(CLAIMS));
}
