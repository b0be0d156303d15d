import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { checkPrecondition, finish, type PreconditionRequest } from './protocol.ts';

const FILE = '/etc/pve/nodes/pve/lxc/101.conf';
const CONFIG = 'arch: amd64\nhostname: web\ntags: prod;web\n';
const USERS = 'user:root@pam:1:0:::::\npool:apps:a comment:100,101:local:\npool:other::102,1010:\n';
const AS_DECIDED: PreconditionRequest = { vmid: '101', name: 'web', tags: ['prod', 'web'], pool: 'apps' };

interface Facts {
  readonly config?: string;
  readonly users?: string;
  readonly decided?: Partial<PreconditionRequest>;
}

const PASSES: readonly [name: string, facts: Facts][] = [
  ['name, tags and pool are unchanged', {}],
  ['a configuration has no name', { config: 'arch: amd64\n', decided: { name: 'CT101', tags: [] } }],
  ['the last line has no end', { config: 'hostname: web\ntags: prod;web' }],
  ['tags are separated by commas and spaces', { config: 'hostname: web\ntags: prod, web\n' }],
  ['values have spaces around them', { config: 'hostname:   web  \ntags:  prod;;web \n' }],
  ['only a snapshot differs', { config: `${CONFIG}[before]\nhostname: old\ntags: old\n` }],
  ['no pool contains the container', { users: 'pool:other::1010,10:\n', decided: { pool: '' } }],
  ['a name looks like shell code', { config: 'hostname: $(id)\n', decided: { name: '$(id)', tags: [] } }],
];

const REFUSALS: readonly [name: string, why: string, facts: Facts][] = [
  ['the name differs', 'changed', { config: CONFIG.replace('web\n', 'db\n') }],
  ['the name is gone', 'changed', { config: 'tags: prod;web\n' }],
  ['a tag was removed', 'changed', { config: 'hostname: web\ntags: prod\n' }],
  ['a tag was added', 'changed', { config: 'hostname: web\ntags: prod;web;new\n' }],
  ['two tags became one', 'changed', { config: 'hostname: web\ntags: prodweb\n' }],
  ['all tags were removed', 'changed', { config: 'hostname: web\n' }],
  ['the pool differs', 'changed', { users: 'pool:other::101:\n' }],
  ['the container left its pool', 'changed', { users: 'pool:apps::100,1010:\n' }],
  ['the container joined a pool', 'changed', { decided: { pool: '' } }],
  ['the configuration is empty', 'changed', { config: '' }],
  ['the container is not on the node', 'gone', { decided: { vmid: '102' } }],
];

const LOCKDOWN = '/etc/pve/proxmox-mcp.lockdown';
const NODE_LOCKDOWN = '/run/proxmox-mcp/lockdown';

/** Texts of the lockdown file, with whether calls pass. */
const LOCKDOWNS: readonly [text: string, passes: boolean][] = [
  ['until lifted\n', false],
  ['', false],
  ['99999999999\n', false],
  ['99999999999', false],
  ['99999999999999999999999\n', false],
  ['1\n', true],
  ['-1\n', false],
  ['1 2\n', false],
  ['0x1\n', false],
  ['+1\n', false],
  ['1.5\n', false],
  ['\n1\n', false],
  ['1\r\n', false],
  ['*\n', false],
  ['$(echo 1)\n', false],
  ['9223372036854775807\n', false],
  ['9223372036854775808\n', false],
  ['18446744073709551617\n', false],
  ['0000000000001\n', true],
];

export const PRECONDITION_CASES: readonly Case[] = [
  ...LOCKDOWNS.map(
    ([text, passes]): Case => ({
      name: `${passes ? 'passes' : 'refuses'} when the lockdown file says ${JSON.stringify(text)}`,
      run: async (bench) => {
        const { machine } = bench;
        await machine.files.write(machine.nodePath(LOCKDOWN), text);
        expect(await checkPrecondition(bench, { lockdown: LOCKDOWN })).toMatchObject(
          passes ? { passed: true } : { passed: false, why: 'locked', code: 96 },
        );
      },
    }),
  ),
  {
    name: 'passes when there is no lockdown file, refuses when it is something else than a file',
    run: async (bench) => {
      const { machine } = bench;
      expect(await checkPrecondition(bench, { lockdown: LOCKDOWN })).toMatchObject({ passed: true });
      await machine.files.mkdir(machine.nodePath(LOCKDOWN));
      expect(await checkPrecondition(bench, { lockdown: LOCKDOWN })).toMatchObject({ why: 'locked' });
    },
  },
  {
    name: 'compares the end of a lockdown with the current time',
    run: async (bench) => {
      const file = bench.machine.nodePath(LOCKDOWN);
      const now = Math.floor(Date.now() / 1000);
      for (const [seconds, passes] of [
        [3600, false],
        [-3600, true],
      ] as const) {
        await bench.machine.files.write(file, `${now + seconds}\n`);
        const { passed } = await checkPrecondition(bench, { lockdown: LOCKDOWN });
        expect(passed).toBe(passes);
      }
    },
  },
  {
    name: "follows a symlink to the node's lockdown file, and refuses where it leads to no file",
    run: async (bench) => {
      const { machine } = bench;
      const file = machine.nodePath(NODE_LOCKDOWN);
      const target = `${await machine.folder()}/target`;
      await machine.files.mkdir(machine.nodePath('/run/proxmox-mcp'));
      await machine.files.symlink(target, file);
      expect(await checkPrecondition(bench, { lockdown: NODE_LOCKDOWN })).toMatchObject({ why: 'locked' });
      await machine.files.write(target, '1\n');
      expect(await checkPrecondition(bench, { lockdown: NODE_LOCKDOWN })).toMatchObject({ passed: true });
      await machine.files.remove(file);
      await machine.files.symlink(file, file);
      expect(await checkPrecondition(bench, { lockdown: NODE_LOCKDOWN })).toMatchObject({ why: 'locked' });
    },
  },
  {
    name: 'does not redeem the approval of a call that a lockdown refuses',
    run: async (bench) => {
      const { machine } = bench;
      await machine.files.write(machine.nodePath(LOCKDOWN), 'until lifted\n');
      const approval = { approvalId: 'abc123', claimant: 'first' };
      expect(await checkPrecondition(bench, { ...approval, lockdown: LOCKDOWN })).toMatchObject({
        why: 'locked',
      });
      expect(await checkPrecondition(bench, { ...approval, claimant: 'second' })).toMatchObject({
        passed: true,
      });
    },
  },
  ...PASSES.map(
    ([name, facts]): Case => ({
      name: `passes when ${name}`,
      run: async (bench) => expect(await check(bench, facts)).toEqual({ passed: true, why: null, code: 0 }),
    }),
  ),
  ...REFUSALS.map(
    ([name, why, facts]): Case => ({
      name: `refuses when ${name}`,
      run: async (bench) => expect(await check(bench, facts)).toEqual({ passed: false, why, code: 96 }),
    }),
  ),
  {
    name: 'refuses when reading takes longer than two seconds',
    needs: ['fifos'],
    run: async (bench) => {
      const { machine } = bench;
      const { files } = machine;
      await files.write(machine.nodePath('/etc/pve/user.cfg'), USERS);
      await files.mkdir(machine.nodePath('/etc/pve/nodes/pve/lxc'));
      await files.fifo(machine.nodePath(FILE));
      const [result] = await Promise.all([
        checkPrecondition(bench, AS_DECIDED),
        files.writeFifo(machine.nodePath(FILE), CONFIG, () =>
          files.write(machine.nodePath('/proc/uptime'), '1003.00 5.00\n'),
        ),
      ]);
      expect(result).toEqual({ passed: false, why: 'slow', code: 96 });
    },
  },
  {
    name: 'refuses when reading the lockdown file takes longer than two seconds',
    needs: ['fifos'],
    run: async (bench) => {
      const { machine } = bench;
      const { files } = machine;
      await files.mkdir(machine.nodePath('/etc/pve'));
      await files.fifo(machine.nodePath(LOCKDOWN));
      const [result] = await Promise.all([
        checkPrecondition(bench, { lockdown: LOCKDOWN }),
        // Its time is over, so only the delay can refuse.
        files.writeFifo(machine.nodePath(LOCKDOWN), '1\n', () =>
          files.write(machine.nodePath('/proc/uptime'), '1003.00 5.00\n'),
        ),
      ]);
      expect(result).toEqual({ passed: false, why: 'slow', code: 96 });
    },
  },
  {
    name: 'refuses when the container is on another node, and does not redeem its approval',
    run: async (bench) => {
      const { machine } = bench;
      const { files } = machine;
      const request = { here: '/etc/pve/lxc/101.conf', approvalId: 'abc123' };
      await files.mkdir(machine.nodePath('/etc/pve/lxc'));
      await files.write(machine.nodePath('/etc/pve/.vmlist'), '{}');
      expect(await checkPrecondition(bench, { ...request, claimant: 'first' })).toMatchObject({
        passed: false,
        why: 'moved',
      });
      await files.write(machine.nodePath('/etc/pve/lxc/101.conf'), CONFIG);
      expect(await checkPrecondition(bench, { ...request, claimant: 'second' })).toMatchObject({
        passed: true,
      });
    },
  },
  {
    name: 'passes when the configuration was read from the directory of this node, by whose name it is found',
    run: async (bench) => {
      const { files, nodePath } = filesOf(bench);
      const request = { ...AS_DECIDED, here: '/etc/pve/lxc/101.conf' };
      await files.write(nodePath('/etc/pve/.vmlist'), '{}');
      await files.write(nodePath('/proc/sys/kernel/hostname'), 'pve.example.net\n');
      expect(await check(bench, { decided: request })).toMatchObject({ passed: true });
      await files.write(nodePath('/proc/sys/kernel/hostname'), 'other\n');
      expect(await check(bench, { decided: request })).toMatchObject({ passed: false, why: 'moved' });
      await files.remove(nodePath('/proc/sys/kernel/hostname'));
      expect(await check(bench, { decided: request })).toMatchObject({ passed: false, why: 'moved' });
    },
  },
  {
    name: 'reads no pools where none is required',
    needs: ['fifos'],
    run: async (bench) => {
      const { files, nodePath } = filesOf(bench);
      await files.mkdir(nodePath('/etc/pve'));
      // Reading it would wait for a writer.
      await files.fifo(nodePath('/etc/pve/user.cfg'));
      await files.write(nodePath(FILE), CONFIG);
      expect(await checkPrecondition(bench, { ...AS_DECIDED, pool: null })).toMatchObject({ passed: true });
    },
  },
  {
    name: 'passes when pmxcfs is not mounted and no attributes are required',
    run: async (bench) => {
      await bench.machine.files.mkdir(bench.machine.nodePath('/etc/pve'));
      expect(await checkPrecondition(bench, { here: '/etc/pve/lxc/101.conf' })).toMatchObject({
        passed: true,
      });
    },
  },
  {
    name: 'passes without a container and without an approval',
    run: async (bench) =>
      expect(await checkPrecondition(bench, {})).toEqual({ passed: true, why: null, code: 0 }),
  },
  {
    name: 'redeems an approval once, but lets the same call repeat it',
    run: async (bench) => {
      const approval = { approvalId: 'abc123', claimant: 'first' };
      expect(await checkPrecondition(bench, approval)).toMatchObject({ passed: true });
      expect(await checkPrecondition(bench, approval)).toMatchObject({ passed: true });
      const other = { ...approval, claimant: 'second' };
      expect(await checkPrecondition(bench, other)).toEqual({ passed: false, why: 'used', code: 96 });
      expect(await checkPrecondition(bench, { ...other, approvalId: 'def456' })).toMatchObject({
        passed: true,
      });
    },
  },
  {
    name: 'does not redeem the approval of a call that it refuses',
    run: async (bench) => {
      const approval = { approvalId: 'abc123', claimant: 'first' };
      expect(await check(bench, { config: '', decided: approval })).toMatchObject({ why: 'changed' });
      expect(await check(bench, { decided: { ...approval, claimant: 'second' } })).toMatchObject({
        passed: true,
      });
    },
  },
  {
    name: 'refuses when an approval cannot be recorded',
    run: async (bench) => {
      await bench.machine.files.write(bench.machine.nodePath('/run/proxmox-mcp'), 'a file');
      expect(await checkPrecondition(bench, { approvalId: 'abc123', claimant: 'first' })).toEqual({
        passed: false,
        why: 'unwritable',
        code: 96,
      });
    },
  },
  {
    name: 'removes records of approvals that are older than two days',
    run: async (bench) => {
      const { machine } = bench;
      const claims = machine.nodePath('/run/proxmox-mcp/claims');
      await machine.files.mkdir(`${claims}/old`);
      await machine.files.mkdir(`${claims}/recent`);
      await finish(machine.start('touch -d "2020-01-01 00:00" "$1"', [`${claims}/old`]));
      await checkPrecondition(bench, { approvalId: 'new', claimant: 'first' });
      expect(await machine.files.list(claims)).toEqual(['new', 'recent']);
    },
  },
];

function filesOf({ machine }: Bench) {
  return { files: machine.files, nodePath: (file: string) => machine.nodePath(file) };
}

/** Checks the decision against the files of a node. */
async function check(bench: Bench, { config = CONFIG, users = USERS, decided = {} }: Facts) {
  const { files } = bench.machine;
  await files.write(bench.machine.nodePath(FILE), config);
  await files.write(bench.machine.nodePath('/etc/pve/user.cfg'), users);
  return checkPrecondition(bench, { ...AS_DECIDED, ...decided });
}
