import { setTimeout } from 'node:timers/promises';
import { configKeys, withKey } from './config-text.ts';
import { isHaManaged, requestHa } from './ha-resources.ts';
import type { SimulatedNode } from './node.ts';
import { type PctCall, PctError, requireConfig, type Verb } from './pct.ts';

/** The time that pct waits for the lock of another operation. */
const LOCK_PATIENCE_MS = 10_700;
const POLL_MS = 25;

/** The pct commands that start and stop, with their locks. */
export const lifeCycleVerbs: Readonly<Record<string, Verb>> = {
  start: {
    options: { skiplock: 'flag', debug: 'flag' },
    async run(call, vmid) {
      const { node } = call;
      if (node.runningGuest(vmid)) throw new PctError(255, `CT ${vmid} already running`);
      if (await askedHa(call, vmid, 'start')) return;
      requireQuorum(node);
      await locked(call, vmid, 255, async () => {
        checkLock(call, vmid);
        if (configKeys(requireConfig(node, vmid, 255)).get('template') === '1') {
          throw new PctError(255, `you can't start a CT if it's a template`);
        }
        // Its configuration may have been moved to this node manually.
        if (node.cluster.guest(vmid)?.running === false) node.cluster.moveGuest(vmid, node.name);
        const guest = node.guests.get(vmid);
        await call.delay(node.cluster.scenario.times.start);
        if (!guest || guest.scenario.answers['pct start'] !== undefined) {
          throw new PctError(255, `startup for container '${vmid}' failed`);
        }
        guest.boot();
      });
    },
  },
  stop: {
    options: { skiplock: 'flag', 'overrule-shutdown': 'flag' },
    async run(call, vmid) {
      if (await askedHa(call, vmid, 'stop')) return;
      requireRunning(call, vmid);
      await locked(call, vmid, 255, async () => {
        checkLock(call, vmid);
        await call.delay(call.node.cluster.scenario.times.stop);
        call.node.guests.get(vmid)?.halt();
      });
    },
  },
  shutdown: {
    options: { timeout: 'integer', forceStop: 'flag' },
    async run(call, vmid) {
      if (await askedHa(call, vmid, 'stop')) return;
      requireRunning(call, vmid);
      await locked(call, vmid, 255, () => shutDown(call, vmid));
    },
  },
  reboot: {
    options: { timeout: 'integer' },
    async run(call, vmid) {
      requireRunning(call, vmid);
      await locked(call, vmid, 255, async () => {
        // The container is stopped before the lock is checked; then the start is refused.
        const guest = call.node.guests.get(vmid);
        await call.delay(call.node.cluster.scenario.times.shutdown);
        guest?.halt();
        checkLock(call, vmid);
        await call.delay(call.node.cluster.scenario.times.start);
        guest?.boot();
      });
    },
  },
  unlock: {
    async run(call, vmid) {
      await locked(call, vmid, 4, async () => {
        const text = requireConfig(call.node, vmid, 2);
        requireWritable(call, vmid);
        call.node.cluster.writeConfig(call.node.name, vmid, withKey(text, 'lock', undefined));
      });
    },
  },
  set: {
    options: { '*': 'string' },
    async run(call, vmid) {
      await locked(call, vmid, 255, async () => {
        checkLock(call, vmid);
        let text = requireConfig(call.node, vmid, 255);
        requireWritable(call, vmid);
        for (const [key, value] of Object.entries(call.options)) {
          text =
            key === 'delete'
              ? value.split(',').reduce((rest, each) => withKey(rest, each, undefined), text)
              : withKey(text, key, value);
        }
        call.node.cluster.writeConfig(call.node.name, vmid, text);
      });
    },
  },
  destroy: {
    options: { purge: 'flag', force: 'flag', 'destroy-unreferenced-disks': 'flag' },
    async run(call, vmid) {
      requireConfig(call.node, vmid, 2);
      checkLock(call, vmid);
      if (call.node.runningGuest(vmid)) {
        if (!call.options.force)
          throw new PctError(255, `unable to destroy CT ${vmid} - container is running`);
        call.node.guests.get(vmid)?.halt();
      }
      await locked(call, vmid, 255, async () => {
        call.node.cluster.writeConfig(call.node.name, vmid, undefined);
        call.node.guests.delete(vmid);
        await call.stdout.write(`  Logical volume "vm-${vmid}-disk-0" successfully removed.\n`);
      });
    },
  },
};

/** A guest that ignores the request takes twice the timeout plus five seconds. */
async function shutDown({ node, options, stderr, delay }: PctCall, vmid: number): Promise<void> {
  const guest = node.guests.get(vmid);
  checkLock({ node }, vmid);
  if (!guest) return;
  const timeout = Number(options.timeout ?? 60) * 1000;
  if (!guest.ignoresShutdown && !guest.frozen) {
    await delay(Math.min(node.cluster.scenario.times.shutdown, timeout));
    guest.halt();
    return;
  }
  if (await until(delay, () => !guest.running, timeout)) return;
  if (options.forceStop) {
    guest.halt();
    return;
  }
  await stderr.write(
    `command 'lxc-stop -n ${vmid} --nokill --timeout ${timeout / 1000}' failed: exit code 1\n`,
  );
  if (await until(delay, () => !guest.running, timeout + 5000)) return;
  throw new PctError(255, 'container did not stop');
}

async function until(delay: PctCall['delay'], condition: () => boolean, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() >= end) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** The message for a container of another node is the same as for a stopped one. */
function requireRunning({ node }: PctCall, vmid: number): void {
  if (!node.runningGuest(vmid)) throw new PctError(255, `CT ${vmid} not running`);
}

export function requireQuorum(node: SimulatedNode): void {
  if (!node.quorate) throw new PctError(255, 'cluster not ready - no quorum?');
}

function requireWritable({ node }: PctCall, vmid: number): void {
  if (node.quorate) return;
  const file = `/etc/pve/nodes/${node.name}/lxc/${vmid}.conf.tmp.1661`;
  throw new PctError(2, `unable to open file '${file}' - Permission denied`);
}

/**
 * Passes the request to the HA manager if it manages the container.
 * @returns whether it does
 */
export async function askedHa(
  { node, stdout }: PctCall,
  vmid: number,
  verb: 'start' | 'stop' | 'migrate',
): Promise<boolean> {
  if (!isHaManaged(node.cluster, vmid)) return false;
  requireConfig(node, vmid, 255);
  if (!node.quorate) {
    throw new PctError(2, "update resources config failed: cfs-lock 'domain-ha' error: no quorum!");
  }
  if (node.cluster.ha.errors.has(vmid)) {
    throw new PctError(255, `service 'ct:${vmid}' in error state, must be disabled and fixed first`);
  }
  await stdout.write(`Requesting HA ${verb} for CT ${vmid}\n`);
  if (verb !== 'migrate') requestHa(node, vmid, verb === 'start' ? 'started' : 'stopped');
  return true;
}

export function checkLock({ node }: Pick<PctCall, 'node'>, vmid: number): void {
  const lock = configKeys(requireConfig(node, vmid, 255)).get('lock');
  if (lock !== undefined) throw new PctError(255, `CT is locked (${lock})`);
}

/** Runs the work with the configuration lock of the container. */
export async function locked(
  call: PctCall,
  vmid: number,
  timeoutCode: number,
  work: () => Promise<void>,
): Promise<void> {
  const { node, stderr } = call;
  let release = node.locks.tryTake(vmid);
  if (!release) {
    await stderr.write('trying to acquire lock...');
    const end = performance.now() + LOCK_PATIENCE_MS;
    while (!release && performance.now() < end) {
      await Promise.race([node.locks.freed(vmid), setTimeout(end - performance.now())]);
      release = node.locks.tryTake(vmid);
    }
    if (!release) {
      await stderr.write('\n');
      throw new PctError(
        timeoutCode,
        `can't lock file '/run/lock/lxc/pve-config-${vmid}.lock' - got timeout`,
      );
    }
    await stderr.write(' OK\n');
  }
  try {
    await work();
  } finally {
    release();
  }
}
