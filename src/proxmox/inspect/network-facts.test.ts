import { expect, test } from 'vitest';
import { parseNetwork } from './network-facts.ts';

const socket = (table: string, address: string, inode: number, state = '0A') =>
  `/proc/5/net/${table}:   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1`;

test('ports of both protocols and address families, with their processes', () => {
  const text = [
    socket('tcp', '0100007F:0019', 1),
    socket('tcp6', '00000000000000000000000000000000:0050', 2),
    socket('tcp6', '0000000000000000FFFF00000100007F:1F90', 3),
    socket('udp', '00000000:0035', 4, '07'),
    socket('tcp6', 'B80D01200000000000000000010000FE:01BB', 5),
    '/proc/5/net/tcp:junk',
  ].join('\n');
  const sockets = '/proc/70/fd/3 -> socket:[2]\n/proc/71/fd/3 -> socket:[2]\n/proc/80/fd/4 -> socket:[4]\n';
  const names = new Map([
    [70, 'nginx'],
    [80, 'dnsmasq'],
  ]);
  expect(parseNetwork(text, sockets, names).facts?.ports).toEqual([
    { protocol: 'tcp', address: '127.0.0.1', port: 25, process: null },
    { protocol: 'udp', address: '0.0.0.0', port: 53, process: 'dnsmasq (80)' },
    { protocol: 'tcp', address: '::', port: 80, process: 'nginx (70)' },
    { protocol: 'tcp', address: '2001:db8::fe00:1', port: 443, process: null },
    { protocol: 'tcp', address: '127.0.0.1', port: 8080, process: null },
  ]);
});

test('addresses with their networks and devices, without those of lo', () => {
  const text = [
    '/proc/5/net/route:eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    '/proc/5/net/route:eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    '/proc/5/net/fib_trie-           |-- 127.0.0.1',
    '/proc/5/net/fib_trie:              /32 host LOCAL',
    '/proc/5/net/fib_trie-           |-- 192.168.1.23',
    '/proc/5/net/fib_trie:              /32 host LOCAL',
    '/proc/5/net/fib_trie-           |-- 10.9.8.7',
    '/proc/5/net/if_inet6:fe8000000000000000000000000000aa 02 40 20 80     eth0',
    '/proc/5/net/if_inet6:00000000000000000000000000000001 01 80 10 80       lo',
  ].join('\n');
  expect(parseNetwork(text, '', new Map()).facts?.addresses).toEqual(['192.168.1.23/24 eth0', '10.9.8.7']);
});

test('more ports than are listed are reported as such', () => {
  const text = Array.from({ length: 201 }, (_, port) =>
    socket('tcp', `0100007F:${(port + 1).toString(16).toUpperCase().padStart(4, '0')}`, 1),
  ).join('\n');
  const { facts, notChecked } = parseNetwork(text, '', new Map());
  expect(facts?.ports).toHaveLength(200);
  expect(notChecked).toEqual(['Only 200 of its 201 ports are listed.']);
});

test('tables that were not read are unknown, and no tables without addresses and ports', () => {
  const unknown = { facts: null, notChecked: ["The kernel's tables of its network could not be read."] };
  expect(parseNetwork('', '', new Map())).toEqual(unknown);
  expect(parseNetwork('/proc/5/net/route:Iface\tDestination', '', new Map())).toEqual({
    facts: { addresses: [], ports: [] },
    notChecked: [],
  });
});
