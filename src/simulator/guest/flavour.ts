import { posix } from 'node:path';
import type { VirtualFs } from '../files/virtual-fs.ts';
import type { ContainerScenario, FileScenario } from '../scenario.ts';
import type { Machine } from '../shell/machine.ts';

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
  '/etc/apt/sources.list': 'deb http://deb.debian.org/debian trixie main\n',
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
  '/bin /dev /etc /home /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr/bin /usr/local/bin /usr/sbin /var/lib /var/log /var/tmp';

/** Fills a container's root directory as a fresh installation of its flavour would, then with its own files. */
export function layOut(files: VirtualFs, scenario: ContainerScenario): void {
  for (const path of DIRECTORIES.split(' ')) files.makeDirectories(path);
  files.get('/tmp').mode = 0o1777;
  const base = scenario.flavour === 'debian' ? DEBIAN : scenario.flavour === 'alpine' ? ALPINE : {};
  for (const [path, content] of Object.entries(base)) files.write(path, content, { parents: true });
  const shells = { debian: ['/bin/bash', '/bin/sh'], alpine: ['/bin/busybox', '/bin/sh'], none: [] };
  for (const path of shells[scenario.flavour]) files.write(path, '\x7fELF', { mode: 0o755 });
  files.write('/etc/hostname', `${scenario.name}\n`);
  files.write('/etc/hosts', `127.0.0.1 localhost\n${scenario.ip ?? '127.0.1.1'} ${scenario.name}\n`);
  devices(files);
  for (const [path, file] of Object.entries(scenario.files)) place(files, path, file);
}

/** Puts a file of a scenario in its place. */
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

/** Programs of just-bash that every small system has; a program is found where its file is. */
const COMMON =
  'awk base64 basename cat chmod chown column comm cp cut date diff dirname du echo egrep expand expr false fgrep file find fold grep gunzip gzip head hostname join ln ls md5sum mkdir mv nl od paste printenv printf pwd readlink rev rm rmdir sed seq sha1sum sha256sum sleep sort split stat strings tac tail tar tee time touch tr true uniq wc which whoami xargs zcat';

/** Puts a file into /usr/bin for each program there is. */
export function installPrograms({ files, programs }: Pick<Machine, 'files' | 'programs'>): void {
  for (const name of [...COMMON.split(' '), ...programs.keys()]) {
    if (name === 'sh' || name === 'bash') continue;
    files.write(`/usr/bin/${name}`, '\x7fELF', { mode: 0o755 });
  }
}
