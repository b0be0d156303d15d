import { executeOrTell } from '../kernel/execute-file.ts';
import { commonPrograms } from '../programs/common-programs.ts';
import { humanSize } from '../programs/disks.ts';
import { parseOptions } from '../programs/options.ts';
import { type Call, Failure, type Program } from '../programs/program.ts';
import { shellProgram } from '../shell/shell-program.ts';
import type { Guest } from './guest.ts';
import { memoryOf } from './proc-files.ts';
import { servicePrograms } from './services.ts';

/** All programs of a container. */
export function guestPrograms(guest: Guest): Map<string, Program> {
  const programs = new Map<string, Program>([
    ...commonPrograms,
    ...servicePrograms(guest),
    ...shells(guest.scenario.flavour),
    ['uname', (call) => uname(call, guest.hostname)],
    ['nproc', say(() => `${guest.scenario.cores}\n`)],
    ['uptime', say(() => uptime(guest))],
    ['free', (call) => free(call, guest)],
    ['ip', (call) => ip(call, guest)],
    ['sudo', sudo],
    ['su', su],
    ['ss', say(() => SOCKETS)],
    ['netstat', say(() => SOCKETS)],
    ['mount', say(() => `${guest.volume.device} on / type ext4 (rw,relatime)\n`)],
  ]);
  const names = new Set(Object.keys(guest.scenario.answers).map((pattern) => pattern.split(/\s/)[0] ?? ''));
  for (const name of names) programs.set(name, answering(guest, name, programs.get(name)));
  return programs;
}

function say(text: () => string): Program {
  return async (call) => {
    await call.print(text());
    return 0;
  };
}

/** A program that is modeled only by its output. */
function answering(guest: Guest, name: string, otherwise: Program | undefined): Program {
  return async (call) => {
    const line = [name, ...call.words].join(' ');
    for (const [pattern, text] of Object.entries(guest.scenario.answers)) {
      if (!new RegExp(`^(?:${pattern})$`).test(line)) continue;
      await call.print(text);
      return 0;
    }
    if (otherwise) return otherwise(call);
    throw new Failure(`the simulator has no answer for '${line}'`);
  };
}

export async function uname(call: Call, hostname: string, kernel = '6.17.4-1-pve'): Promise<number> {
  const all = ['Linux', hostname, kernel, '#1 SMP PREEMPT_DYNAMIC', 'x86_64', 'GNU/Linux'];
  const option = call.args[0] ?? '-s';
  const index = ['-s', '-n', '-r', '-v', '-m', '-o'].indexOf(option);
  await call.print(`${index >= 0 ? (all[index] ?? '') : all.join(' ')}\n`);
  return 0;
}

function uptime(guest: Guest): string {
  const minutes = Math.floor((Date.now() - guest.bootedAt.getTime()) / 60_000);
  const time = new Date().toISOString().slice(11, 19);
  return ` ${time} up ${minutes} min,  0 users,  load average: 0.12, 0.09, 0.05\n`;
}

async function free(call: Call, guest: Guest): Promise<number> {
  const { args } = call;
  const { total, used } = memoryOf(guest);
  const unit = args.includes('-m') ? 1024 ** 2 : args.includes('-g') ? 1024 ** 3 : 1024;
  const show = (bytes: number) =>
    args.includes('-h') ? `${humanSize(bytes)}i` : String(Math.round(bytes / unit));
  const row = (name: string, values: readonly number[]) =>
    `${name.padEnd(7)}${values.map((value) => show(value).padStart(12)).join('')}\n`;
  const rest = total - used;
  const heads = ['total', 'used', 'free', 'shared', 'buff/cache', 'available'];
  await call.print(`${' '.repeat(7)}${heads.map((head) => head.padStart(12)).join('')}\n`);
  await call.print(row('Mem:', [total, used, rest * 0.7, 0, rest * 0.3, rest]));
  await call.print(row('Swap:', [512 * 1024 ** 2, 0, 512 * 1024 ** 2]));
  return 0;
}

async function ip(call: Call, guest: Guest): Promise<number> {
  const { address } = guest;
  await call.print(
    `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n    inet ${address}/24 brd 192.168.1.255 scope global eth0\n`,
  );
  return 0;
}

function shells(flavour: Guest['scenario']['flavour']): readonly (readonly [string, Program])[] {
  if (flavour === 'none') return [];
  if (flavour === 'debian')
    return [
      ['dash', shellProgram('dash')],
      ['bash', shellProgram('bash')],
    ];
  return [
    ['sh', shellProgram('ash')],
    ['ash', shellProgram('ash')],
  ];
}

const SOCKETS = `State  Recv-Q Send-Q Local Address:Port Peer Address:Port
LISTEN 0      128          0.0.0.0:22        0.0.0.0:*
`;

/** sudo resets the environment. In a container every user may use it. */
function sudo(call: Call): Promise<number> {
  const { rest } = parseOptions(call.args, 'nEHSu:g:', { posix: true });
  const env = new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOME', '/root'],
    ['USER', 'root'],
    ['LOGNAME', 'root'],
    ['SUDO_UID', String(call.process.uid)],
  ]);
  call.process.uid = 0;
  return executeOrTell(call.process, rest, env, 'sudo');
}

/** `su USER -c COMMAND`, `su -s SHELL USER -c COMMAND`. */
function su(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'lmpc:s:', { long: { command: 'c', shell: 's', login: 'l' } });
  const user = options.rest.filter((arg) => arg !== '-')[0] ?? 'root';
  const { files } = call.machine;
  const passwd = files.exists('/etc/passwd') ? files.readText('/etc/passwd') : '';
  const fields = passwd
    .split('\n')
    .find((line) => line.startsWith(`${user}:`))
    ?.split(':');
  if (!fields)
    throw new Failure(
      `user ${user} does not exist or the user entry does not contain all the required fields`,
    );
  if (call.process.uid !== 0) throw new Failure('Authentication failure');
  const [, , uid = '0', , , home = '/', shell = '/bin/sh'] = fields;
  call.process.uid = Number(uid);
  const env = new Map([...call.process.env, ['HOME', home], ['USER', user], ['LOGNAME', user]]);
  const command = options.value('c');
  return executeOrTell(
    call.process,
    [options.value('s') ?? shell, ...(command === undefined ? [] : ['-c', command])],
    env,
    'su',
  );
}
