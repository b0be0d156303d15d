import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CT, type Rig } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { appConfig, appLog, type NodeUnderEval } from './node-under-eval.ts';

const FINDS: NodeUnderEval['finds'] = {
  'a disk is full somewhere': [
    row(CT.debian, 'mount +100 % .*/mnt/small'),
    row(CT.debian, 'file .*/srv/data'),
  ],
  'ports of all containers': [
    row(CT.debian, 'tcp +0.0.0.0:8099 +perl'),
    row(CT.busybox, 'tcp +\\S+:8098 +httpd'),
  ],
  'state of all containers': [row(CT.stopped, 'stopped +stopped'), row(CT.debian, 'running +debian')],
  'problems of all containers': [row(CT.debian, 'debian .*disk /mnt/small 100 % full')],
  'a stopped container and its address': [new RegExp(`Container ${CT.stopped} is running`)],
  'a large file from one container to another': [/42\.0 MB .* Verified by SHA-256/],
  'errors in a large log': [/ERROR request 7 failed/, /ERROR request 200007 failed/],
  'a configuration is edited and validated': [/\+workers = 4/, /Validated before it was put in place/],
  'the same command in all containers': [
    /3 equal: /,
    new RegExp(`${CT.busybox} \\(busybox\\).*"2\\.6\\.0-rc2"`),
  ],
  'a long job in the background': [/part 1\nreindexed/, /exit code 3/],
  'different looks at several containers': [/ERROR request 7 failed/, /\): "2\.[67]\.[01]/],
  'long jobs in several containers': [/exit code 3: "reindexed"/, /exit code 0: "compacted"/],
  'a change with a canary and a check': [/2 equal: .*interval = 300/, /Check passed in 2 containers/],
  'a command in a frozen container': [/CONTAINER_FROZEN/],
};

/** A row of a table about a container. */
function row(vmid: number, text: string): RegExp {
  return new RegExp(`^${vmid} +${text}`, 'm');
}

/** What the tasks and their preparation write below the root directories of the containers. */
const FILES = [
  'etc/agent-version',
  'etc/agent.conf',
  'etc/app',
  'srv/data.bin',
  'usr/local/bin/app-check',
  'var/log/app.log',
];
const VMIDS = [CT.debian, CT.busybox, CT.stopped, CT.locked];

/** Prepares the tasks on a rig in its initial state, and removes the files after the use. */
export async function onRig<T>(rig: Rig, use: (node: NodeUnderEval) => Promise<T>): Promise<T> {
  try {
    await prepare(rig);
    const { host, port, keys, paths } = rig.info;
    return await use({
      name: 'rig',
      settings: {
        HOST: host,
        SSH_PORT: String(port),
        SSH_KEY: keys.plain,
        SSH_KNOWN_HOSTS: paths.knownHosts,
        SSH_HOST_KEY_POLICY: 'strict',
      },
      roles: { main: CT.debian, second: CT.busybox, stopped: CT.stopped, frozen: CT.locked },
      finds: FINDS,
      freeze: (vmid) => rig.freeze(vmid),
    });
  } finally {
    // Files outlive a restart of the container, and other suites look for the largest ones.
    await rig.reset();
    for (const vmid of VMIDS)
      for (const file of FILES)
        await rm(join(rig.rootfsOnDisk(vmid), file), { recursive: true, force: true });
  }
}

async function prepare(rig: Rig): Promise<void> {
  for (const vmid of VMIDS) {
    const version = vmid === CT.busybox ? '2.6.0-rc2' : '2.7.1';
    for (const [name, text] of [
      ['etc/agent-version', `${version}\n`],
      ['etc/agent.conf', 'interval = 300\n'],
    ] as const) {
      if (vmid === CT.stopped) await writeFile(join(rig.rootfsOnDisk(vmid), name), text);
      // In an unprivileged container a file of the node's root cannot be written.
      else await rig.writeInContainer(vmid, `/${name}`, text);
    }
  }
  await inContainer(rig, CT.busybox, 'mkdir -p /srv; httpd -p 8098 -h /srv');
  await inContainer(
    rig,
    CT.debian,
    `mkdir -p /etc/app
    printf '#!/bin/sh\necho configuration OK\n' >/usr/local/bin/app-check
    chmod 755 /usr/local/bin/app-check
    head -c 44040192 /dev/urandom >/srv/data.bin
    head -c 2000000 /dev/zero >/mnt/small/full
    perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalPort => 8099) or die; sleep 3600' \
      >/dev/null 2>&1 </dev/null &`,
  );
  await rig.writeInContainer(CT.debian, '/etc/app/app.conf', appConfig());
  await rig.writeInContainer(CT.debian, '/var/log/app.log', appLog(300_000));
  await until(async () => (await rig.containerProcesses(CT.debian, '8099')).length > 0);
}

async function inContainer(rig: Rig, vmid: number, script: string): Promise<void> {
  const { code, stderr } = await rig.inContainer(vmid, ['sh', '-c', script]);
  if (code !== 0) throw new Error(`preparing ${vmid}: ${stderr}`);
}
