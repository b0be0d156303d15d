import { randomBytes } from 'node:crypto';
import type { Config } from '../../../config/settings-schema.ts';
import { AppError } from '../../../lib/errors.ts';
import { type Inventory, readInventory } from '../../../proxmox/inventory/inventory.ts';
import { parseMembers } from '../../../proxmox/inventory/parse-inventory.ts';
import { disconnected } from '../../../remote/errors.ts';
import { SCRIPTS } from '../../../remote/scripts/index.ts';
import type { NodeOutput, RemoteShell } from '../../../remote/shell.ts';
import type { Finding } from './check.ts';
import { judgeRights, type Rights } from './privileges.ts';
import { type Probe, parseProbe, parseSudo, textAfter } from './probe.ts';

/** The node once as whoever logs in, once with `sudo -n` where SUDO is set. */
export interface Nodes {
  readonly plain: RemoteShell;
  readonly root: RemoteShell;
}

const PROBE_MS = 20_000;

/** Whether it is a Proxmox VE node, which version, and what it has. */
export async function checkProxmox(plain: RemoteShell, signal: AbortSignal): Promise<Finding<Probe>> {
  const nonce = newNonce();
  const output = await plain.script(SCRIPTS.probe, [nonce], { timeoutMs: PROBE_MS, signal });
  const probe = parseProbe(output.stdout, nonce);
  if (output.ended !== 'exit') throw unanswered(output, 'looking at the node');
  if (probe === undefined) {
    const said = `${output.stdout}\n${output.stderr}`.trim().split('\n')[0]?.slice(0, 100) ?? '';
    return {
      verdict: 'fail',
      code: 'SSH_NO_SESSION',
      detail: `The login works, but no command does${said === '' ? '' : ` (${JSON.stringify(said)})`}.`,
      remedy: 'The user needs a POSIX shell as login shell, and no ForceCommand in sshd_config.',
    };
  }
  const missing = ['pct', 'lxc-attach'].filter((program) => !probe.paths.has(program));
  if (probe.version === null && missing.length > 0) {
    return {
      verdict: 'fail',
      code: 'NOT_A_PROXMOX_NODE',
      detail: `This is no Proxmox VE node${probe.os === '' ? '' : ` but ${probe.os}`}: it has no pveversion and no ${missing.join(', no ')}.`,
      remedy: 'HOST must name a Proxmox VE node itself: no container, no virtual machine, no backup server.',
    };
  }
  const named = probe.version === '' ? 'of unknown version' : probe.version;
  const version = `${named ?? 'without pveversion'}, on ${probe.os || 'an unnamed system'}`;
  if (missing.length > 0) {
    return {
      verdict: 'warn',
      detail: `${version}, but without ${missing.join(' and ')}.`,
      remedy: 'Install pve-container on the node.',
      value: probe,
    };
  }
  return { verdict: 'ok', detail: version, value: probe };
}

export async function checkRights(
  { plain }: Nodes,
  probe: Probe,
  config: Config,
  signal: AbortSignal,
): Promise<Finding<Rights>> {
  const ask = config.sudo && probe.uid !== 0 && probe.paths.has('sudo');
  if (!ask) return judgeRights(probe, config, undefined);
  const nonce = newNonce();
  const output = await plain.script(SCRIPTS.probeSudo, [nonce], { timeoutMs: PROBE_MS, signal });
  const allowed = parseSudo(output.stdout, nonce);
  if (allowed === undefined) throw unanswered(output, 'asking what sudo allows');
  return judgeRights(probe, config, allowed);
}

/** Whether /etc/pve can be read and tells of the guests; where only pct may be run, what that tells. */
export async function checkClusterFiles(
  { root }: Nodes,
  rights: Rights,
  signal: AbortSignal,
): Promise<Finding<Inventory>> {
  const value = await readInventory(root, signal);
  if (rights.scripts)
    return { verdict: 'ok', detail: `/etc/pve is readable; this node is ${value.node}`, value };
  return {
    verdict: 'warn',
    detail: '/etc/pve may not be read; `pct list` answers in its place, for this node alone.',
    remedy: 'Allow sh by sudo to see the whole cluster.',
    value,
  };
}

export async function checkQuorum({ root }: Nodes, signal: AbortSignal): Promise<Finding<true>> {
  const nonce = newNonce();
  const output = await root.script(SCRIPTS.members, [nonce], { timeoutMs: 10_000, signal });
  const text = textAfter(output.stdout, nonce);
  if (text === undefined || output.code !== 0) throw unanswered(output, 'reading /etc/pve/.members');
  if (!parseMembers(text).quorate) {
    throw new AppError(
      'NO_QUORUM',
      'The cluster has no quorum: containers cannot be started, stopped or changed.',
      'Bring back enough nodes; `pvecm status` on the node shows who is missing. Commands and files in running containers still work.',
    );
  }
  const detail = text.includes('"cluster"') ? 'the cluster has quorum' : 'a node of its own, no cluster';
  return { verdict: 'ok', detail, value: true };
}

export async function checkContainers({ containers, node }: Inventory): Promise<Finding<true>> {
  if (containers.length === 0) {
    return {
      verdict: 'warn',
      detail: 'There are no containers.',
      remedy: 'Create one in the web interface; virtual machines are not looked after.',
      ms: 0,
    };
  }
  const here = containers.filter(({ local }) => local);
  const running = here.filter(({ status }) => status === 'running');
  const elsewhere = containers.length - here.length;
  const more =
    elsewhere === 0 ? '' : `; ${elsewhere} on other nodes, which only a server for that node reaches`;
  const names = running.slice(0, 5).map(({ vmid, name }) => `${vmid} ${name}`);
  const list = names.length === 0 ? '' : `: ${names.join(', ')}${running.length > names.length ? ', …' : ''}`;
  return {
    verdict: 'ok',
    detail: `${here.length} on ${node}, ${running.length} running${list}${more}`,
    ms: 0,
    value: true,
  };
}

const SLOW_MS = 400;

/** Round trips of the cheapest command there is, and with them how far the node's clock is off. */
export async function measure(
  { plain }: Nodes,
  signal: AbortSignal,
): Promise<Finding<{ readonly skewS: number | undefined }>> {
  const samples: { ms: number; skewS: number | undefined }[] = [];
  for (let i = 0; i < 5; i += 1) {
    const sentAt = Date.now();
    const startedAt = performance.now();
    const output = await plain.command(['date', '+%s.%N'], { timeoutMs: 10_000, signal });
    if (output.ended !== 'exit') throw unanswered(output, 'measuring a round trip');
    const ms = performance.now() - startedAt;
    const remote = Number.parseFloat(output.stdout);
    // As if it was read half way; busybox knows no %N and leaves whole seconds.
    samples.push({ ms, skewS: Number.isFinite(remote) ? remote - (sentAt + ms / 2) / 1000 : undefined });
  }
  samples.sort((a, b) => a.ms - b.ms);
  // The quickest round trip leaves the least room for error.
  const value = { skewS: samples[0]?.skewS };
  const ms = Math.round(samples[2]?.ms ?? 0);
  const detail = `${ms} ms for the shortest command (median of 5)`;
  if (ms <= SLOW_MS) return { verdict: 'ok', detail, ms: 0, value };
  return {
    verdict: 'warn',
    detail: `${detail}, which is slow.`,
    remedy:
      'Look at the network, the load of the node, and what the login shell of this user runs at its start.',
    ms: 0,
    value,
  };
}

const SKEW_LIMIT_S = 30;

export function judgeClock(skewS: number | undefined): Finding<true> {
  if (skewS === undefined) return { verdict: 'warn', detail: 'The node did not tell the time.', ms: 0 };
  const off = Math.abs(skewS);
  const by = `${off < 10 ? off.toFixed(1) : Math.round(off)} s ${skewS < 0 ? 'behind' : 'ahead of'} this machine`;
  if (off <= SKEW_LIMIT_S) return { verdict: 'ok', detail: off < 1 ? 'agrees with this machine' : by, ms: 0 };
  return {
    verdict: 'warn',
    detail: `The node's clock is ${by}.`,
    remedy:
      'Log lines and file times will not fit together. `chronyc tracking` on the node and `timedatectl` on both show who is wrong.',
    ms: 0,
  };
}

function unanswered({ ended, stderr }: NodeOutput, doing: string): AppError {
  if (ended === 'disconnected') return disconnected(doing);
  return new AppError(
    'EXIT_UNKNOWN',
    ended === 'timeout'
      ? `The node did not answer in time while ${doing}.`
      : `The node gave no answer while ${doing}.`,
    'Try again; look at the load of the node, and at what the start files of the login shell do.',
    { stderr },
  );
}

function newNonce(): string {
  return randomBytes(8).toString('hex');
}
