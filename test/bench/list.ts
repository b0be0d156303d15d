import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { CT, type Rig, type Undo } from '../rig/rig.ts';
import { type Bench, callTool } from './bench.ts';
import { atMost, type Row, takeTurns, timed } from './measure.ts';

const ROUNDS = 101;
const MANY = 200;
const FIRST_VMID = 20_000;
const NODE = 'pve2';

/** The files that the list is made from, unprocessed. */
const READ_ALL = 'cd /etc/pve && cat /proc/net/unix .members .vmlist .rrd nodes/*/lxc/*.conf';

/** The list of containers: the few of the rig, and many more. */
export async function list(bench: Bench): Promise<Row[]> {
  const [server, openSsh] = await Promise.all([bench.server(), bench.openSsh()]);
  const measure = async (count: number): Promise<Row> => {
    const ours = async () => {
      const { containers } = await callTool(server, 'list_containers', {});
      if (!Array.isArray(containers) || containers.length < count)
        throw new Error('the list is not complete');
    };
    const floor = () => openSsh.run(READ_ALL);
    await Promise.all([ours(), floor()]);
    const [a, b] = await takeTurns(ROUNDS, [() => timed(ours), () => timed(floor)]);
    return { measure: `list ${count} containers`, unit: 'ms', ours: a, floor: b, limit: atMost(1.5) };
  };
  const few = await measure(OF_THE_RIG);
  const undo = await addContainers(bench.rig);
  bench.onEnd(undo);
  const many = await measure(OF_THE_RIG + MANY);
  await undo();
  return [few, many];
}

/** The containers in CT, without `unknown`. */
const OF_THE_RIG = Object.keys(CT).length - 1;

const vmlist = z.looseObject({ version: z.number(), ids: z.record(z.string(), z.unknown()) });

/** Adds two hundred containers to the rig's other node, as configuration files only. */
async function addContainers(rig: Rig): Promise<Undo> {
  const lines = Array.from({ length: MANY }, (_, index) => FIRST_VMID + index);
  const before = vmlist.parse(JSON.parse((await rig.readInNode('/etc/pve/.vmlist')).toString('utf8')));
  const rrd = (await rig.readInNode('/etc/pve/.rrd')).toString('utf8').replace(/\0$/, '');
  const ids = {
    ...before.ids,
    ...Object.fromEntries(lines.map((vmid) => [String(vmid), { node: NODE, type: 'lxc', version: 1 }])),
  };
  const usage = lines.map(
    (vmid) =>
      `pve-vm-9.0/${vmid}:7200:ct${vmid}:running:0:1795367023:2:0.25:1073741824:268435456:8589934592:2147483648:1024:2048:0:0\n`,
  );
  const undos = [
    await rig.setPve('.vmlist', JSON.stringify({ ...before, ids })),
    await rig.setPve('.rrd', `${rrd}${usage.join('')}\0`),
  ];
  for (const vmid of lines) await rig.setPve(configPath(vmid), configOf(vmid));
  return async () => {
    for (const undo of undos) await undo();
    for (const vmid of lines) {
      const file = join(rig.info.paths.pve, configPath(vmid));
      if (existsSync(file)) rmSync(file);
    }
  };
}

function configPath(vmid: number): string {
  return `nodes/${NODE}/lxc/${vmid}.conf`;
}

function configOf(vmid: number): string {
  return `arch: amd64
cores: 2
features: nesting=1
hostname: ct${vmid}
memory: 1024
net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:91:05,ip=dhcp,type=veth
onboot: 1
ostype: debian
rootfs: local-lvm:vm-${vmid}-disk-0,size=8G
swap: 512
tags: bench;generated
unprivileged: 1
`;
}
