import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseConfigLines,
  parseMembers,
  parsePctList,
  parseRrd,
  parseRunning,
  parseVmlist,
} from './parse-inventory.ts';

describe('.vmlist', () => {
  test('lists guests of all nodes and types, whatever the order of the keys', () => {
    const text = `{"version":7,"ids":{"105":{"version":5,"type":"lxc","node":"pve2"},
      "100": { "node": "pve1", "type": "qemu", "version": 2 }}}`;
    expect([...parseVmlist(text).values()]).toEqual([
      { vmid: 100, node: 'pve1', type: 'qemu' },
      { vmid: 105, node: 'pve2', type: 'lxc' },
    ]);
  });

  test.each(['{"version":3}', '{"version":3,"ids":{}}'])('accepts an empty cluster: %s', (text) => {
    expect(parseVmlist(text).size).toBe(0);
  });

  test.each(['', '{', 'null', '[]', '{"ids":{"1":{"node":"a"}}}', '{"ids":7}'])('rejects %j', (text) => {
    expect(() => parseVmlist(text)).toThrow();
  });
});

describe('.members', () => {
  test.each([
    ['standalone', '{"nodename":"pve1","version":0}', true],
    [
      'in a cluster',
      '{"nodename":"pve1","cluster":{"name":"c","quorate":1},"nodelist":{"pve2":{"id":2}}}',
      true,
    ],
    ['without quorum', '{"version":4,"cluster":{"quorate":0},"nodename":"pve1"}', false],
  ])('parses a node that is %s', (_what, text, quorate) => {
    expect(parseMembers(text)).toMatchObject({ node: 'pve1', quorate });
  });

  test('rejects a node without a name', () => {
    expect(() => parseMembers('{"version":0}')).toThrow();
  });
});

describe('/proc/net/unix', () => {
  test('counts the command socket of a container only', () => {
    const text = [
      '00000000a: 00000002 00000000 00010000 0001 01 1 @/var/lib/lxc/101/command',
      '@/var/lib/lxc/102/monitor-sock',
      '@/var/lib/lxc/103/command.old',
      '@/var/lib/lxc/x104/command',
      '/var/lib/lxc/105/command',
      '@/var/lib/lxc/106/command',
    ].join('\n');
    expect([...parseRunning(text).keys()]).toEqual([101, 106]);
  });

  test('is followed by the frozen containers, of cgroup v2 and v1', () => {
    const text = `${[101, 102, 103].map((id) => `@/var/lib/lxc/${id}/command`).join('\n')}
/sys/fs/cgroup/lxc/102/cgroup.events:frozen 1
/sys/fs/cgroup/freezer/lxc/103/freezer.state:FROZEN
/sys/fs/cgroup/lxc/104/cgroup.events:frozen 1
`;
    expect([...parseRunning(text)]).toEqual([
      [101, false],
      [102, true],
      [103, true],
    ]);
  });
});

describe('configuration files', () => {
  const lines = (vmid: number, ...conf: string[]) =>
    conf.map((line) => `nodes/pve1/lxc/${vmid}.conf:${line}`).join('\n');

  test('end the current state at the first section', () => {
    const text = lines(
      101,
      'hostname: web',
      'tags: a;b',
      '[before]',
      'hostname: old',
      'lock: snapshot',
      'template: 1',
    );
    expect(parseConfigLines(text).get(101)).toEqual({
      node: 'pve1',
      name: 'web',
      lock: null,
      template: false,
      tags: ['a', 'b'],
      osType: null,
      addresses: [],
      interfaces: [],
    });
  });

  test('parses addresses of all interfaces, and the type of the operating system', () => {
    const text = lines(
      101,
      'net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=192.0.2.5/24,gw=192.0.2.1,ip6=auto,type=veth',
      'net1: name=eth1,ip=dhcp',
      'net2: name=eth2,bridge=vmbr0',
      'ostype: alpine',
      '[s]',
      'net3: ip=192.0.2.9/24',
    );
    expect(parseConfigLines(text).get(101)).toMatchObject({
      osType: 'alpine',
      addresses: ['192.0.2.5', 'auto', 'dhcp'],
    });
  });

  test('are parsed independently', () => {
    const text = `${lines(101, '[s]', 'lock: x')}\n${lines(102, 'lock: backup', 'template: 1')}`;
    expect(parseConfigLines(text).get(101)).toMatchObject({ lock: null });
    expect(parseConfigLines(text).get(102)).toMatchObject({ lock: 'backup', template: true, name: null });
  });

  test('allow a separator in a name', () => {
    expect(parseConfigLines(lines(101, 'hostname:  a:b.example.com ')).get(101)?.name).toBe(
      'a:b.example.com',
    );
  });

  test('ignore the description', () => {
    expect(parseConfigLines(lines(101, '#lock: backup', 'hostname: web')).get(101)?.lock).toBeNull();
  });

  test('affect their own container only, whatever their text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const containers = parseConfigLines(lines(101, 'hostname: web', '[before]', text));
        expect([...containers]).toEqual([
          [101, expect.objectContaining({ name: 'web', lock: null, tags: [] })],
        ]);
      }),
    );
  });
});

describe('.rrd', () => {
  const usage = {
    age_s: 5,
    uptime_s: 3600,
    cpus: 2,
    cpu: 0.0125,
    memory_max_bytes: 512,
    memory_bytes: 100,
    disk_max_bytes: 8000,
    disk_bytes: 1000,
  };

  test.each(['pve-vm-9.0/101', 'pve2.3-vm/101'])('reads usage and state from %s', (key) => {
    const text = `pve-node-9.0/pve1:1:2\n${key}:3600:web:running:0:1700000000:2:0.0125:512:100:8000:1000:1:2:3:4\n\0`;
    expect([...parseRrd(text, 1_700_000_005)]).toEqual([[101, { running: true, usage }]]);
  });

  test('reads U as unknown, not zero', () => {
    const guest = parseRrd('pve-vm-9.0/101:U:web:stopped:0:17:2:U:512:U:8000:0:U:U\0').get(101);
    expect(guest).toMatchObject({
      running: false,
      usage: { uptime_s: null, cpu: null, memory_bytes: null, disk_bytes: 0 },
    });
  });

  test('accepts an exponent in a CPU share', () => {
    expect(parseRrd('pve-vm-9.0/101:1:n:running:0:17:2:3.2e-05:5:1:8:1').get(101)?.usage.cpu).toBe(3.2e-5);
  });

  test('accepts any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const { usage: values } of parseRrd(`pve-vm-9.0/101:${text}`).values()) {
          for (const value of Object.values(values))
            expect(value === null || Number.isFinite(value)).toBe(true);
        }
      }),
    );
  });
});

describe('pct list', () => {
  /** As pct prints it. */
  const row = (vmid: string, status: string, lock: string, name: string) =>
    `${vmid.padEnd(10)} ${status.padEnd(10)} ${lock.padEnd(12)} ${name.padEnd(20)}\n`;
  const header = row('VMID', 'Status', 'Lock', 'Name');

  test('is read by column, so that a blank lock does not shift the name', () => {
    const text = header + row('101', 'running', '', 'web') + row('102', 'stopped', 'backup', 'db');
    expect(parsePctList(text, 'pve1')).toMatchObject([
      { vmid: 101, status: 'running', lock: null, name: 'web', node: 'pve1', local: true },
      { vmid: 102, status: 'stopped', lock: 'backup', name: 'db' },
    ]);
  });

  test('is empty without containers', () => {
    expect(parsePctList('', 'pve1')).toEqual([]);
  });

  test('round-trips any row, including a lock wider than its column and the longest VMID', () => {
    const locks = [
      '',
      'backup',
      'create',
      'destroyed',
      'disk',
      'fstrim',
      'migrate',
      'mounted',
      'rollback',
      'snapshot',
    ];
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 999_999_999 }),
        fc.constantFrom('running', 'stopped'),
        fc.constantFrom(...locks, 'snapshot-delete'),
        fc.stringMatching(/^[a-z][a-z0-9.-]{0,62}$/),
        (vmid, status, lock, name) => {
          const [read] = parsePctList(header + row(String(vmid), status, lock, name), 'pve1');
          expect(read).toMatchObject({ vmid, status, lock: lock === '' ? null : lock, name });
        },
      ),
    );
  });
});
