import { tmpdir } from 'node:os';
import { nodeRefusal } from '../../src/governance/node-refusals.ts';
import { createRedactor } from '../../src/governance/redaction/redact.ts';
import { AppError } from '../../src/lib/errors.ts';
import { Cluster } from '../../src/proxmox/cluster.ts';
import type { ContainerAttributes, Precondition } from '../../src/remote/remote-types.ts';
import { HANDSHAKE_PART } from '../../src/remote/session-errors.ts';
import { SshPool } from '../../src/ssh/pool.ts';
import type { SshTarget } from '../../src/ssh/ssh-types.ts';
import type { NodeUnderTest } from '../e2e/nodes.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const signal = new AbortController().signal;

export interface CountedCluster {
  readonly cluster: Cluster;
  /** The requests sent to the node, oldest first. */
  readonly lines: string[];
  factsOf(vmid: number): Promise<ContainerAttributes>;
}

/** The cluster as a server with this SSH user sees it, with all requests that it sends. */
export function clusterOf(node: NodeUnderTest, username: 'root' | 'operator'): CountedCluster {
  const { HOST, SSH_PORT, SSH_KEY, SSH_KNOWN_HOSTS } = node.settings();
  const target: SshTarget = {
    host: HOST ?? '',
    port: Number(SSH_PORT),
    username,
    identityFiles: [SSH_KEY ?? ''],
    jumps: [],
    hostKeyPolicy: 'strict',
    knownHostsFiles: [SSH_KNOWN_HOSTS ?? ''],
    knownHostsWriteFile: SSH_KNOWN_HOSTS ?? '',
  };
  const pool = new SshPool(target, { logger: quiet });
  const lines: string[] = [];
  const open = pool.open.bind(pool);
  pool.open = async (...args) => {
    const { stdin, ...channel } = await open(...args);
    const write = stdin.write.bind(stdin);
    const noting = (...written: Parameters<typeof write>): boolean => {
      const text = String(written[0]);
      // Sessions begin with a handshake.
      if (!text.includes(HANDSHAKE_PART)) lines.push(text);
      return write(...written);
    };
    Object.defineProperty(stdin, 'write', { value: noting });
    return { ...channel, stdin };
  };
  const cluster = new Cluster({
    entries: [target],
    connect: () => pool,
    sudo: username !== 'root',
    reserved: { files: [], program: [] },
    transferDirs: [tmpdir()],
    maxFileSize: 1,
    logger: quiet,
    redactor: createRedactor(),
    refusal: nodeRefusal,
  });
  return {
    cluster,
    lines,
    async factsOf(vmid) {
      const facts = await cluster.guest(vmid, signal);
      if (facts === undefined) throw new Error('not readable');
      return facts;
    },
  };
}

export function held(facts: ContainerAttributes | null, claim: string | null = null): Precondition {
  return { attributes: facts, approvalId: claim, source: null, lockdown: null };
}

/** The error code of a refused call. */
export async function refused(attempt: Promise<unknown>): Promise<string> {
  const thrown = await attempt.then(
    () => 'was not refused',
    (error: unknown) => error,
  );
  return thrown instanceof AppError ? thrown.code : String(thrown);
}
