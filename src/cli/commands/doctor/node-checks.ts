import type { Config } from '../../../config/settings-schema.ts';
import { AppError } from '../../../lib/errors.ts';
import { type Inventory, readInventory } from '../../../proxmox/inventory/inventory.ts';
import { parseMembers } from '../../../proxmox/inventory/parse-inventory.ts';
import { disconnected } from '../../../remote/errors.ts';
import { SCRIPTS } from '../../../remote/scripts/index.ts';
import type { NodeOutput, RemoteShell } from '../../../remote/shell.ts';
import type { Finding } from './check.ts';
import { judgeRights } from './privileges.ts';
import { type Probe, parseProbe } from './probe.ts';

/** The node once as whoever logs in, once with `sudo -n` where SUDO is set. */
export interface Nodes {
  readonly plain: RemoteShell;
  readonly root: RemoteShell;
}

const PROBE_MS = 20_000;

/** Whether commands can run at all, whether it is a Proxmox VE node, which version, and what it has. */
export async function checkProxmox(plain: RemoteShell, signal: AbortSignal): Promise<Finding<Probe>> {
  const session = await plain.sessions.take({ signal });
  const { asked, openedInMs } = session;
  plain.sessions.giveBack(session, true);
  const output = await plain.script(SCRIPTS.probe, [], { timeoutMs: PROBE_MS, signal });
  const probe = parseProbe(output.items);
  if (output.ended !== 'exit' || probe === undefined) throw unanswered(output, 'looking at the node');
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
  if (asked !== null) {
    const question = asked === '' ? '' : ` (${JSON.stringify(asked.slice(-100))})`;
    return {
      verdict: 'warn',
      detail: `${version}. A start file of the login shell reads its input, as a question does${question}: each session takes ${Math.round(openedInMs)} ms to open.`,
      remedy: 'Look for `read` in .bashrc on the node, and put `[ -t 0 ] || return` in front of it.',
      value: probe,
    };
  }
  return { verdict: 'ok', detail: version, value: probe };
}

/** Whether the login is root, or sudo makes it root. */
export async function checkRights(
  { root }: Nodes,
  probe: Probe,
  config: Config,
  signal: AbortSignal,
): Promise<Finding<true>> {
  const judged = judgeRights(probe, config);
  if (judged.verdict === 'fail' || probe.uid === 0) return judged;
  try {
    await root.touch({ timeoutMs: PROBE_MS, signal });
    return judged;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...judgeRights(probe, config, error), code: error.code };
  }
}

/** Whether /etc/pve can be read and lists the guests. */
export async function checkClusterFiles({ root }: Nodes, signal: AbortSignal): Promise<Finding<Inventory>> {
  const value = await readInventory(root, signal);
  return { verdict: 'ok', detail: `/etc/pve is readable; this node is ${value.node}`, value };
}

export async function checkQuorum({ root }: Nodes, signal: AbortSignal): Promise<Finding<true>> {
  const options = { timeoutMs: 10_000, signal, readsPmxcfs: true };
  const output = await root.script(SCRIPTS.members, [], options);
  const text = output.stdout;
  if (output.code !== 0) throw unanswered(output, 'reading /etc/pve/.members');
  if (!parseMembers(text).quorate) {
    throw new AppError(
      'NO_QUORUM',
      'The cluster has no quorum: containers cannot be started, stopped or changed.',
      'Bring back enough nodes; `pvecm status` on the node shows which are missing. Commands and files in running containers still work.',
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
    const output = await plain.script('date +%s.%N', [], { timeoutMs: 10_000, signal });
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
