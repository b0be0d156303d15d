import type { Config } from '../../../config/settings-schema.ts';
import { AppError } from '../../../lib/errors.ts';
import { type Inventory, readInventory } from '../../../proxmox/inventory/inventory.ts';
import { parseMembers } from '../../../proxmox/inventory/parse-inventory.ts';
import { disconnected } from '../../../remote/remote-errors.ts';
import type { NodeOutput, RemoteShell } from '../../../remote/remote-shell.ts';
import { SCRIPTS } from '../../../remote/scripts/index.ts';
import type { Finding } from './check.ts';
import { judgeRights } from './privileges.ts';
import { type Probe, parseProbe } from './probe.ts';

/** The node with two kinds of shells: as the login user, and as root (by `sudo -n` if needed). */
export interface Nodes {
  readonly plain: RemoteShell;
  readonly root: RemoteShell;
}

const PROBE_MS = 20_000;

/** Checks that commands run, that this is a Proxmox VE node, its version, and the required programs. */
export async function checkProxmox(plain: RemoteShell, signal: AbortSignal): Promise<Finding<Probe>> {
  const session = await plain.sessions.take({ signal });
  const { asked, openedInMs } = session;
  plain.sessions.giveBack(session, true);
  const output = await plain.script(SCRIPTS.probe, [], { timeoutMs: PROBE_MS, signal });
  const probe = parseProbe(output.items);
  if (output.ended !== 'exit' || probe === undefined) throw noResult(output, 'probing the node');
  const missing = ['pct', 'lxc-attach'].filter((program) => !probe.paths.has(program));
  if (probe.version === null && missing.length > 0) {
    return {
      verdict: 'fail',
      code: 'NOT_A_PROXMOX_NODE',
      detail: `This is not a Proxmox VE node${probe.os === '' ? '' : ` but ${probe.os}`}: pveversion and ${missing.join(' and ')} are missing.`,
      remedy:
        'PROXMOX_HOST must be the Proxmox VE node itself, not a container, a virtual machine or a backup server.',
    };
  }
  const named = probe.version === '' ? 'unknown version' : probe.version;
  const version = `${named ?? 'without pveversion'}, on ${probe.os || 'an unknown system'}`;
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
      detail: `${version}. A startup file of the login shell reads standard input, for example to ask a question${question}, so each session takes ${Math.round(openedInMs)} ms to open.`,
      remedy: 'Find `read` in .bashrc on the node, and add `[ -t 0 ] || return` before it.',
      value: probe,
    };
  }
  return { verdict: 'ok', detail: version, value: probe };
}

/** Checks that the login is root or becomes root by sudo. */
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

/** Checks that /etc/pve is readable and lists the guests. */
export async function checkClusterFiles({ root }: Nodes, signal: AbortSignal): Promise<Finding<Inventory>> {
  const value = await readInventory(root, signal);
  const names = [value.node, ...value.members.keys()];
  return { verdict: 'ok', detail: `/etc/pve is readable; this node is ${value.node}`, names, value };
}

export async function checkQuorum({ root }: Nodes, signal: AbortSignal): Promise<Finding<true>> {
  const options = { timeoutMs: 10_000, signal, readsPmxcfs: true };
  const output = await root.script(SCRIPTS.members, [], options);
  const text = output.stdout;
  if (output.code !== 0) throw noResult(output, 'reading /etc/pve/.members');
  if (!parseMembers(text).quorate) {
    throw new AppError(
      'NO_QUORUM',
      'The cluster has no quorum: containers cannot be started, stopped or changed.',
      'Start the missing nodes; `pvecm status` on the node lists them. Commands and transfers in running containers still work.',
    );
  }
  const detail = text.includes('"cluster"') ? 'the cluster has quorum' : 'standalone node (no cluster)';
  return { verdict: 'ok', detail, value: true };
}

export async function checkContainers({ containers, node }: Inventory): Promise<Finding<true>> {
  if (containers.length === 0) {
    return {
      verdict: 'warn',
      detail: 'There are no containers.',
      remedy: 'Create one in the web interface. Virtual machines are not managed.',
      ms: 0,
    };
  }
  const here = containers.filter(({ local }) => local);
  const running = here.filter(({ status }) => status === 'running');
  const elsewhere = containers.length - here.length;
  const more = elsewhere === 0 ? '' : `; ${elsewhere} on other nodes`;
  const names = running.slice(0, 5).map(({ vmid, name }) => `${vmid} ${name}`);
  const list = names.length === 0 ? '' : `: ${names.join(', ')}${running.length > names.length ? ', …' : ''}`;
  return {
    verdict: 'ok',
    detail: `${here.length} on ${node}, ${running.length} running${list}${more}`,
    names: running.map(({ name }) => name),
    ms: 0,
    value: true,
  };
}

const SLOW_MS = 400;

/** Measures the round trip of a minimal command, and the clock difference of the node. */
export async function measure(
  { plain }: Nodes,
  signal: AbortSignal,
): Promise<Finding<{ readonly skewS: number | undefined }>> {
  const samples: { ms: number; skewS: number | undefined }[] = [];
  for (let i = 0; i < 5; i += 1) {
    const sentAt = Date.now();
    const startedAt = performance.now();
    const output = await plain.script('date +%s.%N', [], { timeoutMs: 10_000, signal });
    if (output.ended !== 'exit') throw noResult(output, 'measuring the latency');
    const ms = performance.now() - startedAt;
    const remote = Number.parseFloat(output.stdout);
    // Assumes that the clock was read in the middle of the round trip. busybox does not support %N and prints whole seconds.
    samples.push({ ms, skewS: Number.isFinite(remote) ? remote - (sentAt + ms / 2) / 1000 : undefined });
  }
  samples.sort((a, b) => a.ms - b.ms);
  // The fastest round trip gives the most exact clock difference.
  const value = { skewS: samples[0]?.skewS };
  const ms = Math.round(samples[2]?.ms ?? 0);
  const detail = `${ms} ms for the shortest command (median of 5)`;
  if (ms <= SLOW_MS) return { verdict: 'ok', detail, ms: 0, value };
  return {
    verdict: 'warn',
    detail: `${detail}, which is slow.`,
    remedy: 'Check the network, the load of the node, and the startup files of the login shell.',
    ms: 0,
    value,
  };
}

const SKEW_LIMIT_S = 30;

export function judgeClock(skewS: number | undefined): Finding<true> {
  if (skewS === undefined) return { verdict: 'warn', detail: 'The node did not report its time.', ms: 0 };
  const off = Math.abs(skewS);
  const by = `${off < 10 ? off.toFixed(1) : Math.round(off)} s ${skewS < 0 ? 'behind' : 'ahead of'} this machine`;
  if (off <= SKEW_LIMIT_S) return { verdict: 'ok', detail: off < 1 ? 'same as on this machine' : by, ms: 0 };
  return {
    verdict: 'warn',
    detail: `The node's clock is ${by}.`,
    remedy:
      'Log lines and file times of the two machines do not match. Run `chronyc tracking` on the node and `timedatectl` on both to find the wrong clock.',
    ms: 0,
  };
}

function noResult({ ended, stderr }: NodeOutput, doing: string): AppError {
  if (ended === 'disconnected') return disconnected(doing);
  return new AppError(
    'EXIT_UNKNOWN',
    ended === 'timeout'
      ? `The node did not respond in time while ${doing}.`
      : `The node returned no result while ${doing}.`,
    'Try again. Check the load of the node and the startup files of the login shell.',
    { stderr },
  );
}
