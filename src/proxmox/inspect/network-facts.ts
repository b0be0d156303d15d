import type { Checked } from './container-report.ts';
import type { ContainerFacts, Port } from './inspect-types.ts';

type Network = NonNullable<ContainerFacts['network']>;

const NO_TABLES = "The kernel's tables of its network could not be read.";
const MOST_PORTS = 200;
const MOST_ADDRESSES = 50;

/** Addresses and listening ports as in `parseTables`; unknown without the heading of the TCP sockets, as all other tables may be empty. */
export function parseNetwork(...tables: Parameters<typeof parseTables>): Checked<Network> {
  return /^\/proc\/\d+\/net\/tcp:/m.test(tables[0])
    ? parseTables(...tables)
    : { facts: null, notChecked: [NO_TABLES] };
}

/**
 * Addresses and listening ports from the kernel's tables, as `grep -H` prints them.
 * @param sockets open sockets by process: `/proc/PID/fd/N -> socket:[INODE]` lines
 */
export function parseTables(
  text: string,
  sockets: string,
  names: ReadonlyMap<number, string>,
): { readonly facts: Network; readonly notChecked: string[] } {
  const owners = parseSockets(sockets);
  const ports = new Map<string, Port>();
  const routes: Route[] = [];
  const addresses = new Set<string>();
  for (const line of text.split('\n')) {
    const [, table = '', content = ''] = /^\/proc\/\d+\/net\/([a-z0-9_]+)[:-](.*)$/.exec(line) ?? [];
    if (/^(?:tcp|udp)6?$/.test(table)) {
      const port = parsePort(table, content, owners, names);
      // One line for each address and port, however many processes share it.
      if (port !== null) ports.set(`${port.protocol} ${port.address} ${port.port}`, port);
    } else if (table === 'route') {
      const route = parseRoute(content);
      if (route !== null) routes.push(route);
    } else if (table === 'if_inet6') {
      const [, hex = '', prefix = '', device = ''] =
        /^([0-9a-f]{32}) [0-9a-f]+ ([0-9a-f]{2}) [0-9a-f]+ [0-9a-f]+ +(\S+)$/.exec(content) ?? [];
      // Link-local addresses tell nothing: each interface has one.
      if (device !== '' && device !== 'lo' && !/^fe[89ab]/.test(hex))
        addresses.add(`${ipv6(hex)}/${Number.parseInt(prefix, 16)} ${device}`);
    } else if (table === 'fib_trie') {
      const [, address] = /\|-- (\d+\.\d+\.\d+\.\d+)$/.exec(content) ?? [];
      if (address !== undefined && !address.startsWith('127.')) addresses.add(address);
    }
  }
  const cut = (list: readonly unknown[], most: number, what: string) =>
    list.length > most ? [`Only ${most} of its ${list.length} ${what} are listed.`] : [];
  const sorted = [...ports.values()].sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol));
  return {
    facts: {
      addresses: [...addresses].slice(0, MOST_ADDRESSES).map((address) => withDevice(address, routes)),
      ports: sorted.slice(0, MOST_PORTS),
    },
    notChecked: [...cut([...addresses], MOST_ADDRESSES, 'addresses'), ...cut(sorted, MOST_PORTS, 'ports')],
  };
}

function parseSockets(text: string): ReadonlyMap<string, number> {
  const owners = new Map<string, number>();
  for (const [, pid, inode = ''] of text.matchAll(/^\/proc\/(\d+)\/fd\/\d+ -> socket:\[(\d+)\]$/gm)) {
    if (!owners.has(inode)) owners.set(inode, Number(pid));
  }
  return owners;
}

function parsePort(
  table: string,
  line: string,
  owners: ReadonlyMap<string, number>,
  names: ReadonlyMap<number, string>,
): Port | null {
  const fields = line.trim().split(/ +/);
  const [, address = '', port = ''] =
    /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(fields[1] ?? '') ?? [];
  if (address === '') return null;
  const pid = owners.get(fields[9] ?? '');
  return {
    protocol: table.startsWith('tcp') ? 'tcp' : 'udp',
    address: address.length === 8 ? ipv4(address) : kernelIpv6(address),
    port: Number.parseInt(port, 16),
    process: pid === undefined ? null : `${names.get(pid) ?? '?'} (${pid})`,
  };
}

interface Route {
  readonly device: string;
  readonly destination: number;
  readonly mask: number;
}

function parseRoute(line: string): Route | null {
  const [device = '', destination = '', , , , , , mask = ''] = line.trim().split(/\s+/);
  if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask) || mask === '00000000') return null;
  return { device, destination: littleEndian(destination), mask: littleEndian(mask) };
}

/** `10.0.0.5/24 eth0`, with the prefix length from the route of the kernel. */
function withDevice(address: string, routes: readonly Route[]): string {
  if (address.includes('/')) return address;
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const route = routes.find(({ destination, mask }) => (value & mask) >>> 0 === destination >>> 0);
  if (route === undefined) return address;
  return `${address}/${route.mask.toString(2).replaceAll('0', '').length} ${route.device}`;
}

function littleEndian(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE();
}

function ipv4(hex: string): string {
  return [...Buffer.from(hex, 'hex')].reverse().join('.');
}

/** The kernel prints four words, each in the byte order of the machine. */
function kernelIpv6(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  for (let at = 0; at < 16; at += 4) bytes.subarray(at, at + 4).reverse();
  const plain = bytes.toString('hex');
  const isMapped = plain.startsWith('00000000000000000000ffff');
  return isMapped ? [...bytes.subarray(12)].join('.') : ipv6(plain);
}

function ipv6(hex: string): string {
  const groups = [...hex.matchAll(/.{4}/g)].map(([group]) => Number.parseInt(group, 16).toString(16));
  const text = groups.join(':');
  const zeros = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) return text;
  const [before, after] = [text.slice(0, zeros.index), text.slice(zeros.index + zeros[0].length + 1)];
  return `${before}::${after}`;
}
