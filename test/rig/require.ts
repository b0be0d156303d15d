import { afterAll, beforeAll, describe } from 'vitest';
import { findRig } from './info.ts';
import { CT, holdLock, Rig, type Undo } from './rig.ts';

/** Other suites, in this run or a concurrent one, may have to end first. */
const LOCK_PATIENCE_MS = 15 * 60_000;

/**
 * A suite against the rig. On one machine only one such suite runs at a time, because suites start, stop and freeze containers;
 * each begins with the rig in its initial state. Without a rig the suite is skipped, and its name contains the reason. Do not
 * nest suites: the inner one would wait for the outer one.
 */
export function describeRig(name: string, suite: (rig: Rig) => void): void {
  const found = findRig();
  if ('reason' in found) {
    describe.skip(`${name} (skipped: ${found.reason})`, () => suite(absentRig()));
    return;
  }
  const rig = new Rig(found.info);
  describe(name, () => {
    let release: Undo | undefined;
    beforeAll(async () => {
      release = await holdLock(['flock', found.info.paths.state, 'sh', '-c', 'echo held; exec cat']);
      await rig.reset();
    }, LOCK_PATIENCE_MS);
    afterAll(async () => {
      await release?.();
    });
    suite(rig);
  });
}

/** A skipped suite is still collected, so that its tests are counted; none of them runs. */
function absentRig(): Rig {
  const paths = {
    state: '',
    pve: '',
    lxc: '',
    tmp: '',
    knownHosts: '',
    sshConfig: '',
    sshdPidFile: '',
    sshdLog: '',
  };
  const key = { public: '', fingerprint: '' };
  return new Rig({
    id: '',
    host: '127.0.0.1',
    port: 0,
    firstVmid: CT.debian,
    node: 'pve1',
    otherNode: 'pve2',
    users: { root: 'root', admin: 'admin', operator: 'operator' },
    rootPassword: '',
    hostKeys: { ed25519: key, ecdsa: key, rsa: key },
    keys: { plain: '', encrypted: '', passphrase: '' },
    holderPid: 0,
    holderStarted: '',
    paths,
  });
}
