import { Migration } from './migration.ts';
import { badParameter, type PctCall, PctError, requireConfig, type Verb } from './pct.ts';
import { askedHa, checkLock, locked, requireQuorum } from './pct-life-cycle.ts';

/** `pct migrate` on shared storage: nothing is copied. */
export const migrateVerbs: Readonly<Record<string, Verb>> = {
  migrate: {
    options: { restart: 'flag', online: 'flag', timeout: 'integer', 'target-storage': 'string' },
    async run(call, vmid) {
      const { node, options, positional } = call;
      const target = positional[0];
      if (target === undefined) throw badParameter('target: property is missing and it is not optional');
      if (target === node.name) throw badParameter('target: target is local node.');
      if (!node.cluster.nodes.some(({ name }) => name === target)) {
        throw new PctError(255, `no such cluster node '${target}'`);
      }
      requireConfig(node, vmid, 255);
      if (await askedHa(call, vmid, 'migrate')) return;
      requireQuorum(node);
      const running = node.runningGuest(vmid) !== undefined;
      if (running && options.online)
        throw new PctError(255, 'lxc live migration is currently not implemented');
      if (running && !options.restart) {
        throw new PctError(255, "can't migrate running container without --online or --restart");
      }
      await locked(call, vmid, 255, () => migrate(call, vmid, target, running));
    },
  },
};

async function migrate(call: PctCall, vmid: number, target: string, running: boolean): Promise<void> {
  const { cluster } = call.node;
  checkLock(call, vmid);
  const since = Date.now();
  const print = (text: string) => {
    const time = new Date().toISOString().replace('T', ' ').slice(0, 19);
    return call.stdout.write(`${time} ${text}\n`);
  };
  if (running) await print(`shutdown CT ${vmid}`);
  const migration = new Migration(cluster, vmid, target);
  await print(
    `starting migration of CT ${vmid} to node '${target}' (${cluster.network.addressOf(target) ?? ''})`,
  );
  await print(`volume 'local-lvm:vm-${vmid}-disk-0' is on shared storage 'local-lvm'`);
  await call.delay(cluster.scenario.times.migrate);
  if (!cluster.node(target).online) {
    migration.abort();
    await print('migration aborted');
    throw new PctError(255, 'migration aborted');
  }
  migration.move();
  await print('start final cleanup');
  if (running) await print('start container on target node');
  migration.finish();
  const seconds = Math.round((Date.now() - since) / 1000);
  await print(`migration finished successfully (duration 00:00:${String(seconds % 60).padStart(2, '0')})`);
}
