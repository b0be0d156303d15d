import { type DirectoryInode, makeDirectory, makeVolume } from '../files/inode.ts';
import { VirtualFs } from '../files/virtual-fs.ts';
import type { Guest } from '../guest/guest.ts';
import type { ContainerScenario, Scenario } from '../scenario.ts';
import type { SimulatedNode } from './node.ts';

/** The shared state of the nodes: /etc/pve/nodes and the membership. */
export class Cluster {
  readonly scenario: Scenario;
  readonly nodes: SimulatedNode[] = [];
  /** /etc/pve/nodes, the same on every node. */
  readonly directory: DirectoryInode;
  quorate: boolean;
  #version = 7;
  readonly #files: VirtualFs;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.quorate = scenario.quorate;
    this.#files = new VirtualFs(makeVolume({ device: '/dev/fuse', type: 'fuse' }));
    this.directory = makeDirectory(this.#files.root.volume);
    this.#files.mount('/nodes', this.directory);
    for (const [name, { containers, machines }] of Object.entries(scenario.nodes)) {
      this.#files.makeDirectories(`/nodes/${name}/lxc`);
      for (const [vmid, container] of Object.entries(containers)) {
        this.writeConfig(name, Number(vmid), configText(Number(vmid), container));
      }
      for (const [vmid, machine] of Object.entries(machines)) {
        const path = `/nodes/${name}/qemu-server/${vmid}.conf`;
        this.#files.write(path, `name: ${machine.name}\ncores: 2\nmemory: 2048\n`, { parents: true });
      }
    }
  }

  get version(): number {
    return this.#version;
  }

  node(name: string): SimulatedNode {
    const node = this.nodes.find((each) => each.name === name);
    if (!node) throw new Error(`the scenario has no node ${name}`);
    return node;
  }

  guest(vmid: number): Guest | undefined {
    return this.nodes.flatMap(({ guests }) => guests.get(vmid) ?? [])[0];
  }

  /** All guests by VMID, including virtual machines. */
  guests(): { vmid: number; node: string; type: 'lxc' | 'qemu' }[] {
    return Object.keys(this.scenario.nodes).flatMap((node) =>
      (['lxc', 'qemu'] as const).flatMap((type) => {
        const path = `/nodes/${node}/${type === 'lxc' ? 'lxc' : 'qemu-server'}`;
        const names = this.#files.exists(path) ? this.#files.list(path) : [];
        return names.flatMap((name) => {
          const vmid = /^(\d+)\.conf$/.exec(name)?.[1];
          return vmid === undefined ? [] : [{ vmid: Number(vmid), node, type }];
        });
      }),
    );
  }

  readConfig(node: string, vmid: number): string | undefined {
    const path = `/nodes/${node}/lxc/${vmid}.conf`;
    return this.#files.exists(path) ? this.#files.readText(path) : undefined;
  }

  writeConfig(node: string, vmid: number, text: string | undefined): void {
    this.#version += 1;
    const path = `/nodes/${node}/lxc/${vmid}.conf`;
    if (text !== undefined) this.#files.write(path, text, { mode: 0o640 });
    else if (this.#files.exists(path)) this.#files.remove(path);
  }

  write(path: string, text: string): void {
    this.#files.write(path, text, { parents: true, mode: 0o640 });
  }
}

/** The keys of the current configuration, before the first section. */
export function configKeys(text: string): Map<string, string> {
  const keys = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) break;
    const match = /^([a-z][a-z_]*\d*):\s*(.*?)\s*$/.exec(line);
    if (match) keys.set(match[1] ?? '', match[2] ?? '');
  }
  return keys;
}

/** Sets a key of the current configuration; undefined removes it. */
export function withKey(text: string, key: string, value: string | undefined): string {
  const lines = text.split('\n');
  const section = lines.findIndex((line) => line.startsWith('['));
  const current = (section < 0 ? lines : lines.slice(0, section)).filter(
    (line) => !line.startsWith(`${key}:`),
  );
  const rest = section < 0 ? [] : lines.slice(section);
  while (current.at(-1) === '') current.pop();
  if (value !== undefined) current.push(`${key}: ${value}`);
  return [...current, ...(rest.length > 0 ? ['', ...rest] : ['']), ''].join('\n').replace(/\n+$/, '\n');
}

function configText(vmid: number, container: ContainerScenario): string {
  const encode = (line: string) => encodeURIComponent(line).replaceAll('%20', ' ');
  const lines =
    container.description === ''
      ? []
      : container.description
          .trimEnd()
          .split('\n')
          .map((line) => `#${encode(line)}`);
  const add = (key: string, value: string | number | undefined) => {
    if (value !== undefined && value !== '') lines.push(`${key}: ${value}`);
  };
  add('arch', 'amd64');
  add('cores', container.cores);
  add('hostname', container.name);
  add('lock', container.lock);
  add('memory', Math.round(container.memory / 1024 ** 2));
  add(
    'net0',
    `name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:${(vmid % 256).toString(16).padStart(2, '0').toUpperCase()},ip=${container.ip === undefined ? 'dhcp' : `${container.ip}/24`},type=veth`,
  );
  add('ostype', container.flavour === 'none' ? 'unmanaged' : container.flavour);
  add('rootfs', `local-lvm:vm-${vmid}-disk-0,size=${Math.round(container.disk.size / 1024 ** 3)}G`);
  add('swap', 512);
  add('tags', container.tags.join(';'));
  add('template', container.template ? 1 : undefined);
  add('unprivileged', 1);
  for (const [name, { time, description }] of Object.entries(container.snapshots)) {
    lines.push(
      '',
      `[${name}]`,
      ...(description === '' ? [] : [`#${encode(description)}`]),
      `hostname: ${container.name}`,
      `snaptime: ${time}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
