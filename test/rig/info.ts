import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startTime } from './processes.ts';

/** The folder of the rig's scripts. */
export const rigDirectory = dirname(fileURLToPath(import.meta.url));

const hostKey = z.object({ public: z.string(), fingerprint: z.string() });

const rigInfo = z.object({
  id: z.string(),
  host: z.string(),
  port: z.number(),
  /** The others follow it. */
  firstVmid: z.number(),
  /** The node to log in to, and another one that exists only in /etc/pve. */
  node: z.string(),
  otherNode: z.string(),
  /** root; admin may run everything with sudo; operator may run /bin/sh with sudo. All accept the same keys. */
  users: z.object({ root: z.string(), admin: z.string(), operator: z.string() }),
  rootPassword: z.string(),
  /** `public` is `TYPE BASE64`, `fingerprint` is `SHA256:…`. */
  hostKeys: z.object({ ed25519: hostKey, ecdsa: hostKey, rsa: hostKey }),
  /** Private key files for a client. */
  keys: z.object({ plain: z.string(), encrypted: z.string(), passphrase: z.string() }),
  holderPid: z.number(),
  holderStarted: z.string(),
  paths: z.object({
    state: z.string(),
    /** Paths of the node's /etc/pve, /var/lib/lxc and /tmp on this machine. */
    pve: z.string(),
    lxc: z.string(),
    tmp: z.string(),
    knownHosts: z.string(),
    sshConfig: z.string(),
    sshdPidFile: z.string(),
    sshdLog: z.string(),
  }),
});

export type RigInfo = z.infer<typeof rigInfo>;

export type RigLookup = { readonly info: RigInfo } | { readonly reason: string };

/** State directory of the rig with this number: 1, 2, … */
export function stateOfRig(number: number): string {
  return join(rigDirectory, number === 1 ? '.state' : `.state-${number}`);
}

const { RIG_STATE, RIG_STATES, RIG_STARTS, VITEST_POOL_ID } = process.env;
const states = RIG_STATES?.split(':') ?? [];
/** The rig of this process: that of RIG_STATE, or one of those that the test run starts for its workers, or the first. */
const own = RIG_STATE ?? states[(Number(VITEST_POOL_ID ?? 1) - 1) % states.length] ?? stateOfRig(1);
// The workers run while the rigs start, and suites are declared synchronously.
if (RIG_STARTS !== undefined) for (const state of [states[0] ?? own, own]) await startOf(state, RIG_STARTS);

/** State directory of the rig that this process uses. Except in CI, fewer rigs than workers are enough: the suites then wait. */
function ownState(): string {
  return process.env.CI || startFailure(own) === undefined ? own : (states[0] ?? own);
}

/** Records for the workers whether the test run could start a rig. @param failure the reason why not, or empty */
export function recordStart(results: string, state: string, failure: string): void {
  const file = resultOf(state, results);
  writeFileSync(`${file}.new`, failure);
  renameSync(`${file}.new`, file);
}

function resultOf(state: string, results: string): string {
  return join(results, basename(state));
}

/** Resolves when the test run has started a rig, or could not. */
async function startOf(state: string, results: string): Promise<void> {
  while (!existsSync(resultOf(state, results))) await setTimeout(50);
}

/** Why the test run could not start a rig, or undefined. */
function startFailure(state: string): string | undefined {
  const file = RIG_STARTS === undefined ? undefined : resultOf(state, RIG_STARTS);
  return file === undefined || !existsSync(file) ? undefined : readFileSync(file, 'utf8') || undefined;
}

/**
 * The data of the running rig that this process uses, or the reason why none runs.
 * @throws Error in CI, if it could not be started
 */
export function findRig(state = ownState()): RigLookup {
  if (process.platform !== 'linux') {
    return { reason: 'the rig needs Linux' };
  }
  if (process.getuid?.() !== 0) {
    return { reason: 'the rig needs root' };
  }
  const reason = startFailure(state);
  if (reason !== undefined) {
    if (process.env.CI) throw new Error(`the rig cannot be started: ${reason}`);
    return { reason };
  }
  let text: string;
  try {
    text = readFileSync(join(state, 'rig.json'), 'utf8');
  } catch {
    return { reason: 'the rig is not up (test/rig/up starts it)' };
  }
  const info = rigInfo.parse(JSON.parse(text));
  if (startTime(info.holderPid) !== info.holderStarted) {
    return { reason: 'the rig has crashed (test/rig/up starts it again)' };
  }
  return { info };
}
