import { posix } from 'node:path';
import type { VirtualFs } from '../files/virtual-fs.ts';
import { PROGRAM_MARK } from '../kernel/execute-file.ts';
import type { Machine } from '../machine.ts';
import type { ContainerScenario, FileScenario } from '../scenario.ts';

const DEBIAN: Readonly<Record<string, string>> = {
  '/etc/os-release': `PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
NAME="Debian GNU/Linux"
VERSION_ID="13"
VERSION="13 (trixie)"
VERSION_CODENAME=trixie
ID=debian
HOME_URL="https://www.debian.org/"
`,
  '/etc/debian_version': '13.2\n',
  '/etc/passwd': `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
postgres:x:105:109::/var/lib/postgresql:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`,
  '/etc/group': 'root:x:0:\ndaemon:x:1:\nadm:x:4:\nwww-data:x:33:\npostgres:x:109:\nnogroup:x:65534:\n',
  '/etc/apt/sources.list': 'deb http://mirror.example.org/debian trixie main\n',
};

const ALPINE: Readonly<Record<string, string>> = {
  '/etc/os-release': `NAME="Alpine Linux"
ID=alpine
VERSION_ID=3.22.2
PRETTY_NAME="Alpine Linux v3.22"
HOME_URL="https://alpinelinux.org/"
`,
  '/etc/alpine-release': '3.22.2\n',
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
  '/etc/group': 'root:x:0:root\nuser:x:1000:\nnobody:x:65534:\n',
  '/etc/apk/repositories': 'https://dl-cdn.alpinelinux.org/alpine/v3.22/main\n',
};

const DIRECTORIES =
  '/dev /etc /home /media /mnt /opt /proc /root /run /srv /sys /tmp /usr/bin /usr/lib /usr/local/bin /usr/local/sbin /usr/sbin /var/lib /var/log /var/tmp';

/**
 * Creates the root directory of a container: the files of a fresh installation of its flavour, then the files of the scenario.
 */
export function layOut(files: VirtualFs, scenario: ContainerScenario): void {
  for (const path of DIRECTORIES.split(' ')) files.makeDirectories(path);
  mergeUsr(files);
  files.get('/tmp').mode = 0o1777;
  files.get('/var/tmp').mode = 0o1777;
  files.get('/root').mode = 0o700;
  const base = scenario.flavour === 'debian' ? DEBIAN : scenario.flavour === 'alpine' ? ALPINE : {};
  for (const [path, content] of Object.entries(base)) files.write(path, content, { parents: true });
  files.write('/etc/hostname', `${scenario.name}\n`);
  files.write('/etc/hosts', `127.0.0.1 localhost\n${scenario.ip ?? '127.0.1.1'} ${scenario.name}\n`);
  devices(files);
  for (const [path, file] of Object.entries(scenario.files)) place(files, path, file);
}

/** Creates a file of a scenario. */
export function place(files: VirtualFs, path: string, file: FileScenario): void {
  const { content, mode, owner } =
    typeof file === 'string' ? { content: file, mode: undefined, owner: undefined } : file;
  files.makeDirectories(posix.dirname(path));
  files.write(path, content, mode === undefined ? {} : { mode: Number.parseInt(mode, 8) });
  const [uid = 0, gid = uid] = (owner ?? '').split(':').filter(Boolean).map(Number);
  Object.assign(files.get(path), { uid, gid });
}

export function devices(files: VirtualFs): void {
  for (const name of ['null', 'zero', 'random', 'urandom', 'tty'])
    files.makeSpecial(`/dev/${name}`, 'device', 0o666);
}

/** Current distributions have one directory of programs under two names. */
export function mergeUsr(files: VirtualFs): void {
  for (const name of ['bin', 'sbin', 'lib']) files.symlink(`usr/${name}`, `/${name}`);
}

/** Programs in /usr/sbin, which is not in the PATH of every user. */
const SYSTEM_PROGRAMS = new Set('pct qm ha-manager chroot'.split(' '));

/** Creates a file in /usr/bin for each program, because commands are found by their files. */
export function installPrograms({ files, programs }: Pick<Machine, 'files' | 'programs'>): void {
  for (const name of programs.keys()) {
    const path = `/usr/${SYSTEM_PROGRAMS.has(name) ? 'sbin' : 'bin'}/${name}`;
    if (!files.exists(path)) files.write(path, `${PROGRAM_MARK}${name}\n`, { mode: 0o755 });
  }
  if (programs.has('dash')) files.symlink('dash', '/usr/bin/sh');
}

/** One program with many names: a symlink for each. */
export function installBusybox({ files }: Pick<Machine, 'files'>, names: readonly string[]): void {
  files.write('/usr/bin/busybox', `${PROGRAM_MARK}busybox\n`, { mode: 0o755 });
  for (const name of names)
    if (!files.exists(`/usr/bin/${name}`)) files.symlink('/bin/busybox', `/usr/bin/${name}`);
}
