import { afterAll, beforeAll, describe, test } from 'vitest';
import { describeRig } from '../rig/require.ts';
import type { Rig, Undo } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import type { ClientKeys } from './encrypted-key.ts';
import type { Far, FarName } from './far.ts';
import { RigFar } from './far-rig.ts';
import { emptyEtcPve, hangClusterFile, hangEtcPve } from './pmxcfs-trouble.ts';
import { SimulatedNode } from './simulated-node.ts';

/** Requirements of a case that only a node with a kernel meets. */
export type Need =
  /** Real programs: perl, sudo's own environment, /proc of this machine. */
  | 'real programs'
  /** Devices and mounts on this machine, which require root. */
  | 'root here'
  /** The programs of an SSH client, which a machine with only Node.js may not have. */
  | 'ssh-agent'
  /** More data than a simulated node can process in the time. */
  | 'volume'
  /** LXC's own files and commands. */
  | 'real lxc';

/** What a node must provide, apart from SSH, for cases that run on both kinds of node; the rig has more. */
export type NodeUnderTest = Pick<
  Rig,
  | 'inContainer'
  | 'readInContainer'
  | 'writeInContainer'
  | 'isRunning'
  | 'initPid'
  | 'readInNode'
  | 'writeInNode'
  | 'ensureStarted'
  | 'ensureStopped'
  | 'freeze'
  | 'startWithoutShell'
  | 'ignoreShutdown'
  | 'holdConfigLock'
  | 'setPve'
  | 'setConf'
  | 'countChange'
  | 'slowPct'
  | 'killSshConnections'
  | 'reset'
> & {
  /** Processes of the container whose arguments contain the text. */
  containerProcesses(
    vmid: number,
    text: string,
  ): Promise<readonly { pid: number; comm: string; cmdline: string }[]>;
  /** Processes of the node whose arguments contain the text. */
  nodeProcesses(text: string): readonly { pid: number; comm: string; cmdline: string }[];
  /** Reading this file below /etc/pve hangs. */
  hangClusterFile(name: string): Promise<Undo>;
  /** Sends SIGSTOP to a process of a container, by its PID on the node. */
  stopProcess(pid: number): Promise<void>;
  /** The remote end of a transfer, with a new directory. */
  far(name: FarName): Promise<Far>;
  /** Settings with which the server logs in as root. */
  settings(): Record<string, string>;
  /** Keys that the node accepts for root. */
  keys(): ClientKeys;
  /** The cluster file system is not mounted (`down`), or reading it hangs. */
  pmxcfs(state: 'down' | 'hangs'): Promise<Undo>;
  /** Root's password. */
  password(): string;
  /** Fingerprint of its ed25519 host key, as ssh-keygen prints it. */
  fingerprint(): string;
  /** From now on open connections send nothing; the undo closes them. */
  silence(): Promise<Undo>;
};

export interface Cases {
  /** A test with a requirement that not every node meets. The simulator lists it by name and does not count it as skipped. */
  readonly needing: (need: Need, name: string, body: (rig: Rig) => Promise<void>, timeout?: number) => void;
}

/**
 * A suite with one list of cases that runs on the simulator and on the rig. Where the results differ, the simulator is wrong.
 * Cases that the simulator cannot run are listed by name.
 */
export function describeNode(
  name: string,
  needs: readonly Need[],
  suite: (node: NodeUnderTest, cases: Cases) => void,
): void {
  const lacking = needs[0];
  if (lacking !== undefined) notServed(name, lacking);
  else {
    describe(`simulator: ${name}`, () => {
      const node = new SimulatedNode();
      beforeAll(() => node.start());
      afterAll(() => node.stop());
      suite(node, { needing: (need, title) => notServed(`${name} > ${title}`, need) });
    });
  }
  describeRig(`rig: ${name}`, (rig) => {
    suite(withSettings(rig), {
      needing: (_need, title, body, timeout) => test(title, () => body(rig), timeout),
    });
  });
}

function notServed(name: string, need: Need): void {
  console.log(`not for the simulator: ${name} (needs ${need})`);
}

/** The rig itself, and its settings. */
function withSettings(rig: Rig): NodeUnderTest {
  return Object.assign(rig, {
    far: (name: FarName) => RigFar.make(rig, name),
    nodeProcesses: (text: string) => rig.nodePids().filter(({ cmdline }) => cmdline.includes(text)),
    hangClusterFile: (name: string) => hangClusterFile(rig, name),
    stopProcess: async (pid: number) => void process.kill(pid, 'SIGSTOP'),
    settings: () => rigSettings(rig),
    keys: () => rig.info.keys,
    pmxcfs: (state: 'down' | 'hangs') => (state === 'down' ? emptyEtcPve(rig) : hangEtcPve(rig)),
    password: () => rig.info.rootPassword,
    fingerprint: () => rig.info.hostKeys.ed25519.fingerprint,
    async silence() {
      await until(() => rig.sshConnections().length > 0);
      rig.signalSshConnections('SIGSTOP');
      return async () => void rig.signalSshConnections('SIGKILL');
    },
  });
}

/** Settings with which the server logs in to the rig as root. */
export function rigSettings(rig: Rig): Record<string, string> {
  return {
    I_ACCEPT_RISKS: 'true',
    HOST: rig.info.host,
    SSH_PORT: String(rig.info.port),
    SSH_KEY: rig.info.keys.plain,
    SSH_KNOWN_HOSTS: rig.info.paths.knownHosts,
    SSH_HOST_KEY_POLICY: 'strict',
    LOG_LEVEL: 'debug',
  };
}
