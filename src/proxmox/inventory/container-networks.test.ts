import { expect, test } from 'vitest';
import { addressesOn, parseContainerNetworks } from './container-networks.ts';

const local = (pid: number, ...addresses: readonly string[]) =>
  addresses
    .map(
      (address) =>
        `/proc/${pid}/net/fib_trie-     |-- ${address}\n/proc/${pid}/net/fib_trie:        /32 host LOCAL\n`,
    )
    .join('--\n');
const route = (pid: number, device: string, destination: string) =>
  `/proc/${pid}/net/route:${device}\t${destination}\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`;

test('reads the addresses of each container from the tables of its first process', () => {
  const found = parseContainerNetworks({
    first: [
      '/proc/31/cgroup:0::/lxc/101/ns/init.scope',
      // The container chooses the names of the groups below its own.
      '/proc/32/cgroup:0::/lxc/102/ns/lxc/101/cgroup:0::/lxc/101/ns',
      '/proc/33/cgroup:12:pids:/lxc/103/ns',
      '/proc/34/cgroup:0::/lxc/104x/ns',
    ].join('\n'),
    networks: [
      route(31, 'eth0', '0002000A'),
      '/proc/31/net/if_inet6:fe80000000000000000000000000abcd 02 40 20 80     eth0\n',
      '/proc/31/net/if_inet6:fd00000000000000000000000000abcd 02 40 00 80     eth0\n',
      local(31, '127.0.0.1', '10.0.2.5', '172.17.0.1'),
      local(32, '10.0.0.32'),
      local(34, '10.0.0.34'),
      // Its first process has ended since: the line is incomplete.
      '/proc/35/net/ro',
    ].join(''),
  });
  expect([...found]).toEqual([
    [
      101,
      [
        { address: 'fd00::abcd', device: 'eth0' },
        { address: '10.0.2.5', device: 'eth0' },
        { address: '172.17.0.1', device: null },
      ],
    ],
    [102, [{ address: '10.0.0.32', device: null }]],
    [103, []],
  ]);
});

test('shows the addresses of the configured interfaces, or all if there are none', () => {
  const live = [
    { address: '10.0.2.5', device: 'eth0' },
    { address: '172.17.0.1', device: 'docker0' },
    { address: '10.9.0.1', device: null },
  ];
  expect(addressesOn(live, ['eth0', 'eth1'])).toEqual(['10.0.2.5']);
  expect(addressesOn(live, ['lan0'])).toEqual(['10.0.2.5', '172.17.0.1', '10.9.0.1']);
  const many = Array.from({ length: 300 }, (_, at) => ({ address: `10.0.0.${at}`, device: 'eth0' }));
  expect(addressesOn(many, ['eth0'])).toHaveLength(20);
});
