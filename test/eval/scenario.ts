import type { ScenarioInput } from '../../src/simulator/scenario.ts';

/** Lines of an application log; three of them are errors. */
function log(lines: number): string {
  return Array.from({ length: lines }, (_, index) =>
    index % Math.floor(lines / 3) === 7
      ? `2026-05-14T03:12:09 ERROR request ${index} failed: upstream closed the connection`
      : `2026-05-14T03:12:09 INFO request ${index} took ${index % 90} ms`,
  ).join('\n');
}

const service = (command: string, state: 'running' | 'failed' = 'running') => ({
  command,
  state,
  description: command,
});

const LISTENING = `State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process
LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:(("sshd",pid=120,fd=3))
LISTEN 0      511          0.0.0.0:PORT      0.0.0.0:*    users:(("PROGRAM",pid=214,fd=6))
`;
const UPDATES =
  'Listing...\nlibssl3t64/stable-security 3.5.1-1+deb13u1 amd64 [upgradable from: 3.5.1-1]\ntzdata/stable 2026b-0+deb13u1 all [upgradable from: 2026a-0+deb13u1]\n';

/** A container with a listening service and pending updates. */
function debian(name: string, tags: string[], port: number, program: string) {
  return {
    name,
    tags,
    ip: `192.0.2.${port % 250}`,
    services: { [program]: service(`/usr/sbin/${program}`) },
    files: { [`/etc/${program}/${program}.conf`]: `listen ${port};\nworkers 2;\n` },
    answers: {
      'ss -tlnp.*': LISTENING.replace('PORT', String(port)).replace('PROGRAM', program),
      'apt list --upgradable.*': UPDATES,
      [`${program} -t`]: 'configuration OK\n',
    },
  };
}

/** Six containers with common problems. */
export const EVAL_SCENARIO: ScenarioInput = {
  cluster: 'eval',
  nodes: {
    pve1: {
      containers: {
        101: {
          ...debian('web1', ['web', 'prod'], 80, 'nginx'),
          disk: { size: '8G', used: '97%' },
          files: {
            '/etc/nginx/nginx.conf': 'listen 80;\nworkers 2;\n',
            '/var/log/app.log': log(30_000),
            '/srv/data.bin': 'x'.repeat(1024 * 1024),
          },
        },
        102: debian('web2', ['web', 'prod'], 80, 'nginx'),
        103: debian('db1', ['database', 'prod'], 5432, 'postgres'),
        104: {
          ...debian('mail', ['prod'], 25, 'postfix'),
          services: { postfix: service('/usr/sbin/postfix'), certbot: service('/usr/bin/certbot', 'failed') },
        },
        105: { ...debian('test', ['test'], 8080, 'nginx'), flavour: 'alpine' },
        106: debian('git', ['prod'], 3000, 'gitea'),
        107: { name: 'old', tags: ['test'], running: false },
      },
    },
  },
};
