import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/**
 * State directory of the rig that this process uses: that of RIG_STATE, or one of those that the test run has started for its
 * workers, or the first.
 */
function ownState(): string {
  const states = process.env.RIG_STATES?.split(':') ?? [];
  const worker = Number(process.env.VITEST_POOL_ID ?? 1);
  return process.env.RIG_STATE ?? states[(worker - 1) % states.length] ?? stateOfRig(1);
}

/** The data of the running rig that this process uses, or the reason why none runs. */
export function findRig(state = ownState()): RigLookup {
  if (process.platform !== 'linux') {
    return { reason: 'the rig needs Linux' };
  }
  if (process.getuid?.() !== 0) {
    return { reason: 'the rig needs root' };
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
