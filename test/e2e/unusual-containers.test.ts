import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeRig } from '../rig/require.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { failureOf, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

const NIX_FOLDERS = ['/run/wrappers/bin', '/run/current-system/sw/bin', '/run/current-system/profile/bin'];

describeNode('programs in the directories of NixOS and Guix', [], (rig) => {
  const node = useClient(rig);
  const mustRun = async (script: string, vmid: number = CT.busybox) => {
    const { code, stderr } = await rig.inContainer(vmid, ['sh', '-c', script]);
    expect(code, stderr).toBe(0);
  };
  beforeAll(async () => {
    for (const vmid of [CT.busybox, CT.debian]) await mustRun(`mkdir -p ${NIX_FOLDERS.join(' ')}`, vmid);
  });
  afterAll(async () => {
    for (const vmid of [CT.busybox, CT.debian])
      await mustRun('rm -rf /run/wrappers /run/current-system', vmid);
  });

  test.each(NIX_FOLDERS)('are found by a command in %s, after the usual directories', async (folder) => {
    await rig.writeInContainer(CT.busybox, `${folder}/only-here`, '#!/bin/sh\necho found "$@"\n');
    await rig.writeInContainer(CT.busybox, `${folder}/cat`, '#!/bin/sh\necho not the real one\n');
    await mustRun(`chmod 755 ${folder}/only-here ${folder}/cat`);
    try {
      const result = await node.exec(CT.busybox, 'only-here it; echo real | cat');
      expect(result).toMatchObject({ exit_code: 0, stdout: 'found it\nreal\n', stderr: '' });
    } finally {
      await mustRun(`rm ${folder}/only-here ${folder}/cat`);
    }
  });

  test('are found by a transfer', async () => {
    const folder = NIX_FOLDERS[1];
    await mustRun(
      `for t in sha256sum stat; do
      f=$(command -v $t) && dir=\${f%/*} && mv "$f" ${folder}/$t || exit 1
    done; echo "$dir" >/root/programs-were-in`,
      CT.debian,
    );
    try {
      await writeFile(path.join(node.dir, 'up'), 'to and fro\n');
      const container = { vmid: CT.debian, container_path: '/root/nix-file' };
      const up = await node.call('upload_file_to_container', { ...container, local_path: 'up' });
      expect(up.data, up.text).toMatchObject({ success: true });
      const down = await node.call('download_file_from_container', { ...container, local_path: 'down' });
      expect(down.data, down.text).toMatchObject({ success: true, bytes_transferred: 11 });
    } finally {
      await mustRun(
        `d=$(cat /root/programs-were-in); for t in sha256sum stat; do mv ${folder}/$t "$d/$t"; done; rm -f /root/nix-file`,
        CT.debian,
      );
    }
  });
});

// A privileged container: an unprivileged one cannot make devices.
describeRig('a container whose /dev/null cannot be opened', (rig) => {
  const node = useClient(rig);
  const mustRun = async (script: string) => {
    const { code, stderr } = await rig.inContainer(CT.busybox, ['sh', '-c', script]);
    expect(code, stderr).toBe(0);
  };
  beforeAll(() =>
    // Root cannot open a device on a file system without devices.
    mustRun(`mkdir -p /run/nodev && mount -t tmpfs -o nodev tmpfs /run/nodev && mknod -m 000 /run/nodev/null c 1 3 &&
      mount --bind /run/nodev/null /dev/null`),
  );
  afterAll(() => mustRun('umount /dev/null; umount /run/nodev; rmdir /run/nodev'));

  test('is reported as the cause by commands and transfers, instead of permissions or missing programs', async () => {
    await writeFile(path.join(node.dir, 'up'), 'x');
    const container = { vmid: CT.busybox, container_path: '/root/dev-null-file', local_path: 'up' };
    for (const result of [
      await node.call('container_exec_command', { vmid: CT.busybox, command: 'echo ran' }),
      await node.call('upload_file_to_container', container),
      await node.call('download_file_from_container', {
        ...container,
        container_path: '/etc/passwd',
        local_path: 'down',
      }),
    ]) {
      const failure = failureOf(result);
      expect(failure).toMatchObject({
        code: 'ATTACH_FAILED',
        error: expect.stringContaining('/dev/null cannot be opened'),
        suggestion: expect.stringContaining('666'),
      });
      expect(`${failure.error} ${failure.suggestion}`).not.toMatch(/root|sudo|head|coreutils|Install/i);
    }
  });
});

describeRig('a privileged container whose /dev/null is a regular file', (rig) => {
  const node = useClient(rig, { TOOLSETS: 'core,inspect,files,jobs' });
  const mustInNode = async (script: string) => {
    const { code, stdout, stderr } = await rig.inNode(['sh', '-c', script]);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };
  /** A device of the test instead of that of the machine, which must not be damaged. */
  const device = '/run/proxmox-mcp-test-null';
  const undos: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    await mustInNode(`mknod -m 666 ${device} c 1 3; mount --bind ${device} /dev/null`);
    undos.push(() => mustInNode(`umount -l /dev/null; rm -f ${device}`));
    // Not with lxc-attach, which would change the device, too.
    const dev = `${await rig.rootfs(CT.busybox)}/dev`;
    await rename(`${dev}/null`, `${dev}/null.kept`);
    undos.push(async () => {
      await rm(`${dev}/null`, { force: true });
      await rename(`${dev}/null.kept`, `${dev}/null`);
    });
    await writeFile(`${dev}/null`, '', { mode: 0o666 });
  });
  afterAll(async () => {
    for (const undo of undos.reverse()) await undo();
  });

  // lxc-attach changes the owner and the mode of its standard streams to those of the container's user, unless they are the
  // same device as the container's /dev/null.
  test.each([
    ['a command', 'container_exec_command', { vmid: CT.busybox, command: 'true' }],
    ['a job', 'container_exec_command', { vmid: CT.busybox, command: 'true', background: true }],
    [
      'a transfer',
      'download_file_from_container',
      { vmid: CT.busybox, container_path: '/etc/hosts', local_path: 'hosts' },
    ],
    ['an inspection', 'inspect_containers', { vmids: [CT.busybox] }],
    ['a copy', 'copy_file', { source: `${CT.busybox}:/etc/hosts`, target: `${CT.debian}:/tmp/hosts-copy` }],
    ['reading a file', 'read_file', { vmid: CT.busybox, path: '/etc/hosts' }],
    ['reading a log', 'read_logs', { vmid: CT.busybox, path: '/etc/hosts' }],
  ])('does not change the /dev/null of the node: %s', async (_name, tool, args) => {
    await mustInNode('chmod 666 /dev/null');
    expect((await node.call(tool, args)).data.code).not.toBe('INVALID_INPUT');
    expect(await mustInNode('stat -c %a:%u /dev/null')).toBe('666:0');
  });
});

describeRig('a container that is ending', (rig) => {
  const { call } = useClient(rig, { POLICY: 'open' });

  test('is reported as stopped, although lxc-attach notices its end first', async () => {
    // As its monitor does, it keeps the name of its socket for a moment after it has stopped answering.
    const bind = `socket(S, AF_UNIX, SOCK_STREAM, 0) && bind(S, pack_sockaddr_un("\\0/var/lib/lxc/${CT.stopped}/command")) or die; sleep 2`;
    const monitor = rig.inNode(['perl', '-MSocket', '-e', bind]);
    const status = async () => (await call('container_status', { vmid: CT.stopped })).data.status;
    await until(async () => (await status()) === 'running');
    const exec = await call('container_exec_command', { vmid: CT.stopped, command: 'true' });
    expect(failureOf(exec)).toMatchObject({ code: 'CONTAINER_NOT_RUNNING' });
    expect(await monitor).toMatchObject({ code: 0 });
  });
});
