import { expect, test } from 'vitest';
import { vmidOfCgroup } from './own-cgroup.ts';

test.each([
  ['cgroup v2', '0::/lxc/101/ns/system.slice/proxmox-mcp.service\n', 101],
  ['the container as a whole', '0::/lxc/101\n', 101],
  ['Docker in a container', '0::/lxc/101/ns/docker/0123abcd\n', 101],
  ['LXC without Proxmox VE', '0::/lxc.payload.101/init.scope\n', 101],
  [
    'cgroup v1',
    '12:pids:/lxc/101/ns\n11:memory:/lxc/101/ns\n1:name=systemd:/lxc/101/ns/init.scope\n0::/\n',
    101,
  ],
  ['a hierarchy without containers first', '12:pids:/\n1:name=systemd:/lxc/101/ns\n', 101],
  ['a node below a cgroup of its own', '0::/machine.slice/pve/lxc/101/ns\n', 101],
  ['a container that names a cgroup lxc/102', '0::/lxc/101/ns/lxc/102\n', 101],
  ['a container that names a cgroup lxc.payload.102', '0::/lxc/101/ns/lxc.payload.102/x\n', 101],
  ['a container that names a cgroup with a colon', '0::/lxc/101/ns/a:/lxc/102\n', 101],
  ['a nested container', '0::/lxc/101/ns/lxc.payload.202/ns\n', 101],
  ['a service of the node', '0::/system.slice/proxmox-mcp.service\n', null],
  [
    'a login at the node',
    '12:pids:/user.slice/user-0.slice\n0::/user.slice/user-0.slice/session-1.scope\n',
    null,
  ],
  ['the root', '0::/\n', null],
  ['the monitor of a container, which runs on the node', '0::/lxc.monitor/101\n', null],
  ['a name that begins alike', '0::/lxc/101x/ns\n', null],
  ['a name that ends alike', '0::/mylxc/101/ns\n', null],
  ['nothing', '', null],
])('parses %s', (_name, text, vmid) => {
  expect(vmidOfCgroup(text)).toBe(vmid);
});
