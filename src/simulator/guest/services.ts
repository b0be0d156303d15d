import type { Call, Program } from '../programs/program.ts';
import type { Guest } from './guest.ts';
import { journalctl } from './journalctl.ts';

/** systemctl and journalctl on Debian, rc-service and rc-status on Alpine; `service` on both. */
export function servicePrograms(guest: Guest): readonly (readonly [string, Program])[] {
  const service: Program = (call) => act(guest, call, call.args[1] ?? '', call.args[0] ?? '');
  if (guest.scenario.flavour === 'alpine') {
    return [
      ['rc-service', service],
      ['service', service],
      ['rc-status', (call) => rcStatus(guest, call)],
    ];
  }
  return [
    ['systemctl', (call) => systemctl(guest, call)],
    ['service', service],
    ['journalctl', (call) => journalctl(guest, call)],
  ];
}

async function systemctl(guest: Guest, call: Call): Promise<number> {
  const [verb = 'list-units', ...units] = call.args.filter(
    (arg, index) => !arg.startsWith('-') && call.args[index - 1] !== '-p',
  );
  if (verb === 'is-system-running') {
    const hasFailed = [...guest.services.values()].includes('failed');
    await call.print(hasFailed ? 'degraded\n' : 'running\n');
    return hasFailed ? 1 : 0;
  }
  if (verb === 'show') return show(guest, call);
  if (verb === 'list-units' || call.args.includes('--failed')) return listUnits(guest, call);
  if (verb === 'daemon-reload') return 0;
  let code = 0;
  for (const unit of units)
    code = Math.max(code, await act(guest, call, verb, unit.replace(/\.service$/, '')));
  return code;
}

async function act(guest: Guest, call: Call, verb: string, name: string): Promise<number> {
  const service = guest.scenario.services[name];
  if (!service) {
    await call.warn(`Unit ${name}.service could not be found.\n`);
    return verb === 'status' || verb === 'is-active' ? 4 : 5;
  }
  const state = guest.services.get(name) ?? 'stopped';
  const active = state === 'running' ? 'active' : state === 'failed' ? 'failed' : 'inactive';
  switch (verb) {
    case 'start':
      guest.startService(name);
      return 0;
    case 'stop':
      guest.stopService(name);
      return 0;
    case 'restart':
    case 'reload':
      guest.stopService(name);
      guest.startService(name);
      return 0;
    case 'is-active':
      await call.print(`${active}\n`);
      return active === 'active' ? 0 : 3;
    case 'enable':
    case 'disable':
      return 0;
    case 'is-enabled':
      await call.print('enabled\n');
      return 0;
    default: {
      const process = guest.table.list(guest.vmid).find(({ cmdline }) => cmdline === service.command);
      const word =
        active === 'active'
          ? 'active (running)'
          : active === 'failed'
            ? 'failed (Result: exit-code)'
            : 'inactive (dead)';
      const dot = active === 'active' ? '●' : active === 'failed' ? '×' : '○';
      await call.print(
        `${dot} ${name}.service - ${service.description || name}\n     Loaded: loaded (/usr/lib/systemd/system/${name}.service; enabled)\n     Active: ${word}\n${process ? `   Main PID: ${process.pid} (${process.comm})\n` : ''}`,
      );
      return active === 'active' ? 0 : 3;
    }
  }
}

/** `systemctl show '*.service' -p Id -p NRestarts`: all properties that are asked for, of each service. */
async function show(guest: Guest, call: Call): Promise<number> {
  const asked = call.args.flatMap((arg, index) => (arg === '-p' ? [call.args[index + 1] ?? ''] : []));
  for (const [name, state] of guest.services) {
    const values: Readonly<Record<string, string>> = {
      Id: `${name}.service`,
      NRestarts: String(guest.scenario.services[name]?.restarts ?? 0),
      ActiveState: state === 'running' ? 'active' : state === 'failed' ? 'failed' : 'inactive',
      SubState: state === 'running' ? 'running' : state === 'failed' ? 'failed' : 'dead',
    };
    const lines = Object.entries(values).filter(([key]) => asked.length === 0 || asked.includes(key));
    await call.print(`${lines.map(([key, value]) => `${key}=${value}\n`).join('')}\n`);
  }
  return 0;
}

async function listUnits(guest: Guest, call: Call): Promise<number> {
  const isBare = call.args.includes('--no-legend');
  if (!isBare) await call.print(`  ${'UNIT'.padEnd(28)} LOAD   ACTIVE   SUB     DESCRIPTION\n`);
  for (const [name, state] of guest.services) {
    if (call.args.includes('--failed') && state !== 'failed') continue;
    const active = state === 'running' ? 'active  ' : state === 'failed' ? 'failed  ' : 'inactive';
    const sub = state === 'running' ? 'running' : state === 'failed' ? 'failed ' : 'dead   ';
    const mark = call.args.includes('--plain') ? ' ' : state === 'failed' ? '●' : ' ';
    const description = guest.scenario.services[name]?.description ?? '';
    const start = isBare && mark === ' ' ? '' : `${mark} `;
    await call.print(`${start}${`${name}.service`.padEnd(28)} loaded ${active} ${sub} ${description}\n`);
  }
  return 0;
}

async function rcStatus(guest: Guest, call: Call): Promise<number> {
  await call.print('Runlevel: default\n');
  for (const [name, state] of guest.services) {
    await call.print(
      ` ${name.padEnd(60)} [  ${state === 'running' ? 'started' : state === 'failed' ? 'crashed' : 'stopped'}  ]\n`,
    );
  }
  return 0;
}
