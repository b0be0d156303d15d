import { memoryOf } from '../guest/proc-files.ts';
import { configKeys } from './config-text.ts';
import type { SimulatedNode } from './node.ts';
import { requireConfig, type Verb } from './pct.ts';

/** The pct commands that change nothing. */
export const queryVerbs: Readonly<Record<string, Verb>> = {
  list: {
    noVmid: true,
    async run({ node, stdout }) {
      const ids = node.cluster.guests().filter((guest) => guest.type === 'lxc' && guest.node === node.name);
      if (ids.length === 0) return;
      const row = (cells: readonly string[]) =>
        `${cells.map((cell, i) => cell.padEnd([10, 10, 12, 20][i] ?? 0)).join(' ')}\n`;
      await stdout.write(row(['VMID', 'Status', 'Lock', 'Name']));
      for (const { vmid } of ids.sort((a, b) => a.vmid - b.vmid)) {
        const config = configKeys(node.cluster.readConfig(node.name, vmid) ?? '');
        const status = node.runningGuest(vmid) ? 'running' : 'stopped';
        await stdout.write(
          row([String(vmid), status, config.get('lock') ?? '', config.get('hostname') ?? `CT${vmid}`]),
        );
      }
    },
  },
  status: {
    options: { verbose: 'flag' },
    async run({ node, options, stdout }, vmid) {
      requireConfig(node, vmid, 2);
      const shown = statusOf(node, vmid);
      const lines = options.verbose
        ? Object.entries(shown).sort(([a], [b]) => (a < b ? -1 : 1))
        : [['status', shown.status]];
      for (const [key, value] of lines) if (value !== undefined) await stdout.write(`${key}: ${value}\n`);
    },
  },
  config: {
    options: { current: 'flag', snapshot: 'string' },
    async run({ node, stdout }, vmid) {
      const text = requireConfig(node, vmid, 2);
      const keys = configKeys(text);
      const current = text.split(/^\[/m)[0] ?? '';
      const description = [...current.matchAll(/^#(.*)$/gm)].map((match) => `${match[1]}%0A`).join('');
      if (description !== '') keys.set('description', description);
      for (const [key, value] of [...keys].sort(([a], [b]) => (a < b ? -1 : 1)))
        await stdout.write(`${key}: ${value}\n`);
      for (const line of current.matchAll(/^(lxc\.\S+):\s*(.*)$/gm))
        await stdout.write(`${line[1]}: ${line[2]}\n`);
    },
  },
  pending: {
    async run({ node, stdout }, vmid) {
      const keys = configKeys(requireConfig(node, vmid, 2));
      for (const [key, value] of [...keys].sort(([a], [b]) => (a < b ? -1 : 1)))
        await stdout.write(`cur ${key}: ${value}\n`);
    },
  },
  df: {
    async run({ node, stdout }, vmid) {
      requireConfig(node, vmid, 2);
      const guest = node.guests.get(vmid);
      if (!guest) return;
      const { total, used } = guest.diskUse;
      const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)}G`;
      await stdout.write('MP     Volume                     Size Used Avail Use% Path\n');
      await stdout.write(
        `rootfs local-lvm:vm-${vmid}-disk-0    ${gib(total)} ${gib(used)} ${gib(total - used)}  ${(used / total).toFixed(2)} /\n`,
      );
    },
  },
};

/** The state of a container for `pct status --verbose` and the API. */
export function statusOf(node: SimulatedNode, vmid: number) {
  const guest = node.guests.get(vmid);
  const config = configKeys(node.cluster.readConfig(node.name, vmid) ?? '');
  const running = guest?.running === true;
  const disk = guest ? guest.diskUse : { total: 0, used: 0 };
  const memory = guest ? memoryOf(guest) : { total: 0, used: 0 };
  return {
    cpus: Number(config.get('cores') ?? 1),
    disk: running ? disk.used : 0,
    diskread: 0,
    diskwrite: 0,
    lock: config.get('lock'),
    maxdisk: disk.total,
    maxmem: memory.total,
    maxswap: 512 * 1024 ** 2,
    mem: memory.used,
    name: config.get('hostname') ?? `CT${vmid}`,
    netin: running ? 18_234 : 0,
    netout: running ? 9_120 : 0,
    pid: running ? guest?.initPid : undefined,
    status: running ? 'running' : 'stopped',
    swap: 0,
    tags: config.get('tags'),
    type: 'lxc',
    uptime: running && guest ? Math.floor((Date.now() - guest.bootedAt.getTime()) / 1000) : 0,
    vmid,
  };
}
