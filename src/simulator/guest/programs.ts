import { filePrograms, humanSize } from '../programs/files.ts';
import { launchers, withoutOptions } from '../programs/launchers.ts';
import { processPrograms } from '../programs/processes.ts';
import type { Program, ProgramCall } from '../shell/machine.ts';
import type { Guest } from './guest.ts';
import { memoryOf } from './proc-files.ts';
import { servicePrograms } from './services.ts';

/** All programs of a container beyond those of just-bash. */
export function guestPrograms(guest: Guest): Map<string, Program> {
  const programs = new Map<string, Program>([
    ...launchers,
    ...processPrograms,
    ...filePrograms,
    ...servicePrograms(guest),
    ['hostname', say(() => `${guest.hostname}\n`)],
    ['whoami', say(() => 'root\n')],
    ['id', (call) => id(call)],
    ['uname', (call) => uname(call, guest.hostname)],
    ['nproc', say(() => `${guest.scenario.cores}\n`)],
    ['arch', say(() => 'x86_64\n')],
    ['uptime', say(() => uptime(guest))],
    ['free', (call) => free(call, guest)],
    ['ip', (call) => ip(call, guest)],
    ['sudo', (call) => call.spawn(withoutOptions(call.args, /^-[ug]$/), { env: sudoEnv() })],
    ['mount', say(() => `${guest.volume.device} on / type ext4 (rw,relatime)\n`)],
  ]);
  const names = new Set(Object.keys(guest.scenario.answers).map((pattern) => pattern.split(/\s/)[0] ?? ''));
  for (const name of names) programs.set(name, answering(guest, name, programs.get(name)));
  return programs;
}

function say(text: () => string): Program {
  return async ({ stdout }) => {
    await stdout.write(text());
    return 0;
  };
}

/** A program that is known only by what it prints. */
function answering(guest: Guest, name: string, otherwise: Program | undefined): Program {
  return async (call) => {
    const line = [name, ...call.args].join(' ');
    for (const [pattern, text] of Object.entries(guest.scenario.answers)) {
      if (!new RegExp(`^(?:${pattern})$`).test(line)) continue;
      await call.stdout.write(text);
      return 0;
    }
    if (otherwise) return otherwise(call);
    await call.stderr.write(`${name}: the simulator has no answer for '${line}'\n`);
    return 1;
  };
}

/** `id`, `id -u`, `-g`, `-un`, `-gn`; a user's only group is the one of the same number and name. */
export async function id({ args, stdout, uid, machine }: ProgramCall): Promise<number> {
  const name = machine.userName(uid);
  const letters = args.filter((arg) => /^-[a-z]+$/.test(arg)).join('');
  const text = !/[ugG]/.test(letters)
    ? `uid=${uid}(${name}) gid=${uid}(${name}) groups=${uid}(${name})`
    : letters.includes('n')
      ? name
      : String(uid);
  await stdout.write(`${text}\n`);
  return 0;
}

export async function uname(
  { args, stdout }: ProgramCall,
  hostname: string,
  kernel = '6.17.4-1-pve',
): Promise<number> {
  const all = ['Linux', hostname, kernel, '#1 SMP PREEMPT_DYNAMIC', 'x86_64', 'GNU/Linux'];
  const option = args[0] ?? '-s';
  const index = ['-s', '-n', '-r', '-v', '-m', '-o'].indexOf(option);
  await stdout.write(`${index >= 0 ? (all[index] ?? '') : all.join(' ')}\n`);
  return 0;
}

function uptime(guest: Guest): string {
  const minutes = Math.floor((Date.now() - guest.bootedAt.getTime()) / 60_000);
  const time = new Date().toISOString().slice(11, 19);
  return ` ${time} up ${minutes} min,  0 users,  load average: 0.12, 0.09, 0.05\n`;
}

async function free({ args, stdout }: ProgramCall, guest: Guest): Promise<number> {
  const { total, used } = memoryOf(guest);
  const unit = args.includes('-m') ? 1024 ** 2 : args.includes('-g') ? 1024 ** 3 : 1024;
  const show = (bytes: number) =>
    args.includes('-h') ? `${humanSize(bytes)}i` : String(Math.round(bytes / unit));
  const row = (name: string, values: readonly number[]) =>
    `${name.padEnd(7)}${values.map((value) => show(value).padStart(12)).join('')}\n`;
  const rest = total - used;
  const heads = ['total', 'used', 'free', 'shared', 'buff/cache', 'available'];
  await stdout.write(`${' '.repeat(7)}${heads.map((head) => head.padStart(12)).join('')}\n`);
  await stdout.write(row('Mem:', [total, used, rest * 0.7, 0, rest * 0.3, rest]));
  await stdout.write(row('Swap:', [512 * 1024 ** 2, 0, 512 * 1024 ** 2]));
  return 0;
}

async function ip({ stdout }: ProgramCall, guest: Guest): Promise<number> {
  const address = guest.scenario.ip ?? '192.168.1.50';
  await stdout.write(
    `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n    inet ${address}/24 brd 192.168.1.255 scope global eth0\n`,
  );
  return 0;
}

/** sudo makes an environment of its own. */
function sudoEnv(): Map<string, string> {
  return new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOME', '/root'],
    ['USER', 'root'],
    ['LOGNAME', 'root'],
    ['SUDO_UID', '0'],
  ]);
}
