import { secretsOf } from '../../../config/secrets.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { createRedactor } from '../../../governance/redaction/redact.ts';
import { type ClosableChannelSource, Cluster } from '../../../proxmox/cluster.ts';
import { RemoteShell } from '../../../remote/remote-shell.ts';
import { SshPool } from '../../../ssh/pool.ts';
import { RouteChoice, type Routes } from '../../../ssh/route-choice.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { type Check, type CheckId, Examination, type Finding } from './check.ts';
import { checkNodes, checkStandby } from './cluster-check.ts';
import { checkTransferDirs } from './local-checks.ts';
import { reportConnection } from './login-check.ts';
import { checkName, checkPort } from './network-checks.ts';
import {
  checkClusterFiles,
  checkContainers,
  checkProxmox,
  checkQuorum,
  checkRights,
  judgeClock,
  measure,
  type Nodes,
} from './node-checks.ts';
import { checkOwnContainer } from './own-container-check.ts';
import { judgeAttach } from './privileges.ts';
import { connectOnce, type SeenWhileConnecting } from './session-check.ts';
import { checkPassphrase, checkStateDirs } from './state-dirs.ts';

export interface ExamineOptions {
  readonly config: Config;
  readonly target: SshTarget;
  /** Further addresses in HOST. */
  readonly standby?: readonly SshTarget[];
  /** The container in which to run a command. */
  readonly exec?: number | undefined;
  readonly signal: AbortSignal;
  readonly report: (check: Check) => void;
  /** Called when a check begins. */
  readonly begin?: ((id: CheckId) => void) | undefined;
}

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Checks every step from this machine to a command in a container. Changes nothing: a host key that the server would pin is
 * only reported. Never rejects because of a finding. When the signal aborts, it returns the results so far.
 */
export async function examine(options: ExamineOptions): Promise<readonly Check[]> {
  const exam = new Examination(options.report, options.signal, options.begin);
  const { target, config, signal } = options;
  const named = await exam.step('name', () => checkName(target, signal));
  const open = await exam.step('port', named && (() => checkPort(target, signal)));
  const channels = open ? await logIn(exam, target, signal) : await skipLogin(exam);
  try {
    await examineNode(exam, channels, options);
  } finally {
    await channels?.close();
  }
  await exam.step('transfer-dirs', () => checkTransferDirs(config));
  await exam.step('state-dirs', () => checkStateDirs(config));
  if (config.approvals === 'terminal') await exam.step('approvals', () => checkPassphrase(config));
  return exam.checks;
}

async function skipLogin(exam: Examination): Promise<undefined> {
  await exam.step('host-key', undefined);
  await exam.step('login', undefined);
  return undefined;
}

async function logIn(
  exam: Examination,
  target: SshTarget,
  signal: AbortSignal,
): Promise<ClosableChannelSource | undefined> {
  const seen: SeenWhileConnecting = { hostKeys: [], logins: [] };
  const startedAt = performance.now();
  exam.begin('login');
  try {
    const channels = await connectOnce(withoutPinning(target), seen, signal);
    reportConnection(exam, target, seen, { ms: Math.round(performance.now() - startedAt) });
    return channels;
  } catch (error) {
    reportConnection(exam, target, seen, { error });
    return undefined;
  }
}

/** The target without accept-new, because a check must not pin a host key. */
function withoutPinning(target: SshTarget): SshTarget {
  const hostKeyPolicy = target.hostKeyPolicy === 'accept-new' ? 'insecure' : target.hostKeyPolicy;
  return { ...target, hostKeyPolicy, jumps: target.jumps.map(withoutPinning) };
}

async function examineNode(
  exam: Examination,
  channels: ClosableChannelSource | undefined,
  { config: given, target, standby = [], exec, signal }: ExamineOptions,
): Promise<void> {
  const plain = channels && new RemoteShell(channels, { sudo: false, logger: QUIET });
  const probe = await exam.step('proxmox', plain && (() => checkProxmox(plain, signal)));
  // As the server does when SUDO is not set.
  const config = { ...given, sudo: given.sudo ?? (probe !== undefined && probe.uid !== 0) };
  const nodes: Nodes | undefined = channels &&
    plain && { plain, root: new RemoteShell(channels, { sudo: config.sudo, logger: QUIET }) };
  const rights = await exam.step(
    'rights',
    nodes && probe && (() => checkRights(nodes, probe, config, signal)),
  );
  const attach = await exam.step('attach', probe && rights && (async () => judgeAttach(probe)));
  const inventory = await exam.step(
    'cluster-files',
    nodes && rights && (() => checkClusterFiles(nodes, signal)),
  );
  await exam.step('quorum', nodes && inventory && (() => checkQuorum(nodes, signal)));
  const cluster = channels && new ExaminedCluster(channels, target, config);
  if (inventory !== undefined && inventory.members.size > 1) {
    await exam.step('nodes', cluster && (() => checkNodes(cluster.cluster, cluster.routes, signal)));
  }
  if (standby.length > 0) await exam.step('standby', () => checkStandby(standby.map(withoutPinning), signal));
  await exam.step('containers', inventory && (() => checkContainers(inventory)));
  await exam.step('own-container', nodes && rights && (() => checkOwnContainer(nodes, config, signal)));
  if (exec !== undefined) {
    await exam.step('exec', cluster && attach && (() => runIn(cluster, exec, signal)));
  }
  const measured = await exam.step('latency', nodes && probe && (() => measure(nodes, signal)));
  await exam.step('clock', measured && (async () => judgeClock(measured.skewS)));
  await cluster?.cluster.close(0);
}

/** The cluster as the server sees it through the examined connection. */
class ExaminedCluster {
  readonly cluster: Cluster;
  /** By the name of the node. */
  readonly routes = new Map<string, RouteChoice>();

  constructor(channels: ClosableChannelSource, target: SshTarget, config: Config) {
    this.cluster = new Cluster({
      ...config,
      entries: [target],
      connect: (routes) => (routes.forwarded === undefined ? channels : this.#connect(routes)),
      // No check transfers files.
      transferDirs: [],
      reserved: { files: [], program: [] },
      logger: QUIET,
      redactor: createRedactor({ secrets: () => secretsOf(config), patterns: config.redactForms }),
    });
  }

  #connect(routes: Routes): ClosableChannelSource {
    const route = new RouteChoice(routes);
    this.routes.set(routes.direct.hostKeyAlias ?? '', route);
    return new SshPool(routes.direct, { logger: QUIET, connect: (options) => route.connect(options) });
  }
}

/** Runs a command with the code that the tools use. */
async function runIn(
  { cluster }: ExaminedCluster,
  vmid: number,
  signal: AbortSignal,
): Promise<Finding<true>> {
  const result = await cluster.container(vmid).exec('id -un; uname -n', {
    timeoutMs: 15_000,
    characterLimit: 1000,
    signal,
  });
  const [user = '?', name = '?'] = result.stdout.text.trim().split('\n');
  if (result.ended === 'exit' && result.exitCode === 0) {
    return {
      verdict: 'ok',
      detail: `ran in ${vmid}, as ${user} of ${name}`,
      names: [user, name],
      value: true,
    };
  }
  const said = result.cause ?? result.stderr.text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  return {
    verdict: 'fail',
    detail: `The test command in container ${vmid} failed (${result.ended}, exit code ${result.exitCode ?? 'none'})${said === '' ? '.' : `: ${said}`}`,
    remedy: 'Check the load, the disk, the memory and the number of processes of the container.',
  };
}
