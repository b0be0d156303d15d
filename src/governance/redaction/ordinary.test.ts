import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createRedactor } from './redact.ts';

/** Output as admins see it every day. A mark in it would hide what they look for. */
const ORDINARY: Readonly<Record<string, string>> = {
  'ls -la': `total 44
drwx------ 6 root root 4096 Nov 20 10:01 .
-rw-r--r-- 1 root root  571 Apr 10  2021 .bashrc
-rw------- 1 root root  411 Nov 20 10:01 .ssh/id_ed25519
-rw-r----- 1 root shadow 833 Nov 20 10:01 passwd-
drwxr-xr-x 2 root root 4096 Nov 20 10:01 api-keys: old`,
  df: `Filesystem                        Size  Used Avail Use% Mounted on
rpool/data/subvol-101-disk-0      8.0G  1.2G  6.9G  15% /
tmpfs                             7.8G     0  7.8G   0% /dev/shm`,
  apt: `Get:1 http://deb.debian.org/debian bookworm/main amd64 passwd amd64 1:4.13+dfsg1-1 [972 kB]
Get:2 http://security.debian.org/debian-security bookworm-security InRelease [48.0 kB]
Setting up libpam-pwquality:amd64 (1.4.5-1+b1) ...
Setting up token-tools (1.0) ...
deb [signed-by=/usr/share/keyrings/docker.gpg] https://download.docker.com/linux/debian bookworm stable`,
  systemctl: `● ssh.service - OpenBSD Secure Shell server
     Loaded: loaded (/lib/systemd/system/ssh.service; enabled; preset: enabled)
   Main PID: 231 (sshd)
Nov 20 10:01:00 ct sshd[231]: Failed password for root from 192.0.2.4 port 4711 ssh2
Nov 20 10:01:02 ct sshd[231]: Accepted password for root from 192.0.2.4 port 4711 ssh2
Nov 20 10:01:03 ct sudo: pam_unix(sudo:auth): authentication failure; logname= uid=1000 user=al
Nov 20 10:01:05 ct systemd-ask-password[9]: Password entry required for 'Passphrase for key:' (PID 9).
Nov 20 10:01:06 ct systemd[1]: Started systemd-ask-password-wall.path - Forward Password Requests to Wall.`,
  'git log': `commit 9fceb02d0ae598e95dc970b74767f19372d61af8 (HEAD -> main, tag: v1.2.3)
Author: A U Thor <a@example.com>
Date:   Thu Nov 20 10:01:00 2026 +0000

    Refresh tokens: rotate the secret; password reset (#42)`,
  hashes: ['md5', 'sha1', 'sha256', 'sha512']
    .map((name) => `${createHash(name).update('x').digest('hex')}  file-${name}.tar.gz`)
    .join('\n'),
  docker: `REPOSITORY   TAG       DIGEST                                                                    IMAGE ID
nginx        latest    sha256:${'0a1b2c3d'.repeat(8)}   605c77e624dd
nginx@sha256:${'0a1b2c3d'.repeat(8)}`,
  uuids: `UUID="0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0" TYPE="ext4" PARTUUID="0f1e2d3c-01"
/dev/disk/by-id/wwn-0x5002538d40a1b2c3 machine-id 0f1e2d3c4b5a69788796a5b4c3d2e1f0`,
  nginx: `192.0.2.1 - - [20/Nov/2026:10:01:00 +0000] "GET /wp-login.php?a=1&b=2 HTTP/1.1" 404 153 "https://example.com/" "Mozilla/5.0 (X11; Linux x86_64)"
192.0.2.1 - al [20/Nov/2026:10:01:00 +0000] "POST /password/reset HTTP/2.0" 302 0 "-" "curl/8.5.0"`,
  base64: Buffer.from(
    'an ordinary text, long enough to fill a line or two, with nothing in it to hide.',
  ).toString('base64'),
  certificate: `-----BEGIN CERTIFICATE-----
${Buffer.alloc(96, 7)
  .toString('base64')
  .match(/.{1,64}/g)
  ?.join('\n')}
-----END CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
${Buffer.alloc(48, 9).toString('base64')}
-----END PUBLIC KEY-----`,
  'ssh keys that are public': `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'aB3'.repeat(14)} root@pve
256 SHA256:${'aB3/'.repeat(10)}abc root@pve (ED25519)`,
  configuration: `PasswordAuthentication no
PermitRootLogin prohibit-password
# password = none is set here
PASSWORD_FILE=/run/secrets/db
MYSQL_PASSWORD_FILE=/run/secrets/db
db_password: \${DB_PASSWORD}
password=$DB_PASSWORD
password: ""
password:
auth_token_ttl = 3600
token_lifetime=86400
secretName: my-tls
passwd:         files systemd
shadow:         files
tokens: 4096
max_tokens=4096
key: value
PWD=/root
OLDPWD=/tmp
SSH_KEY=/root/.ssh/id_ed25519
ssl_certificate_key /etc/ssl/private/site.key;`,
  tests: `Tests: pass: 12, fail: 0
pass=12 fail=0
PASS src/password.test.ts
SyntaxError: Unexpected token: punc (})
Error: Cannot find module 'token'`,
  'a list of containers': `VMID       Status     Lock         Name
101        running                 web
102        stopped    backup       secret-santa`,
  'pct config': `arch: amd64
hostname: web
net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:2C:AA:01,ip=dhcp,type=veth
rootfs: local-zfs:subvol-101-disk-0,size=8G
tags: prod;token
unprivileged: 1`,
  'urls and addresses': `http://localhost:8080/a@b git@github.com:x/y.git ssh://git@host:22/r mailto:a@b.c
http://[2001:db8::1]:8006/ https://user@host/ postgresql://localhost:5432/db?sslmode=require`,
  prose: `The password: it must have eight characters. Enter passphrase for key '/root/.ssh/id':
Use --password to be asked, or --password-stdin. See "Token: how to" and "secret: a story".
root@pam!tokenid stands for a token. $1 and $6 and $y are no hashes, eyJ no token, sk-learn and task-force neither.`,
  'what begins like a token': `npm_config_cache=/root/.npm npm_lifecycle_event=test SG.x ASIA_PACIFIC dapi hf_hub sk-SK.UTF-8 AKIA glpat- xoxb`,
};

test.each(Object.entries(ORDINARY))('%s is left alone', async (_, text) => {
  expect((await createRedactor().clean({ text })).data.text).toBe(text);
});
