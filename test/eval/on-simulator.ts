import type { ScenarioInput } from '../../src/simulator/scenario.ts';
import { Simulator } from '../../src/simulator/simulator.ts';
import { appConfig, appLog, type NodeUnderEval } from './node-under-eval.ts';

const service = (command: string, ports: number[], state: 'running' | 'failed' = 'running') => ({
  command,
  state,
  description: command,
  ports,
});

/** A container with a listening service and a monitoring agent. */
function debian(name: string, tags: string[], port: number, program: string, agent = '2.7.1') {
  return {
    name,
    tags,
    ip: `192.0.2.${port % 250}`,
    services: { [program]: service(`/usr/sbin/${program}`, [port]) },
    files: { '/etc/agent-version': `${agent}\n`, '/etc/agent.conf': 'interval = 300\n' },
  };
}

const web1 = debian('web1', ['web', 'prod'], 80, 'nginx');
const mail = debian('mail', ['prod'], 25, 'postfix');

/** Six containers with common problems. */
const SCENARIO: ScenarioInput = {
  cluster: 'eval',
  nodes: {
    pve1: {
      containers: {
        101: {
          ...web1,
          disk: { size: '8G', used: '97%' },
          files: {
            ...web1.files,
            '/etc/app/app.conf': { content: appConfig(), mode: '640', owner: '33:33' },
            '/var/log/app.log': appLog(3000),
            '/srv/data.bin': 'x'.repeat(1024 * 1024),
          },
          answers: { 'app-check .*': 'configuration OK\n' },
        },
        102: debian('web2', ['web', 'prod'], 80, 'nginx'),
        103: debian('db1', ['database', 'prod'], 5432, 'postgres', '2.6.0-rc2'),
        104: {
          ...mail,
          services: { ...mail.services, certbot: service('/usr/bin/certbot', [], 'failed') },
        },
        105: { ...debian('test', ['test'], 8080, 'nginx'), flavour: 'alpine' },
        106: debian('git', ['prod'], 3000, 'gitea'),
        107: { ...debian('old', ['test'], 8000, 'media'), running: false },
      },
    },
  },
};

const FINDS: NodeUnderEval['finds'] = {
  'a disk is full somewhere': [/^101 +mount +9[78] %/m],
  'ports of all containers': [/103 +tcp +\S+:5432 +postgres/, /106 +tcp +\S+:3000 +gitea/],
  'state of all containers': [/107 +stopped +old/, /103 +running +db1/],
  'problems of all containers': [/104 .*failed: certbot/, /101 .*disk \/ 9[78] %/],
  'a stopped container and its address': [/"addresses": \[\s+"192\.0\.2\.0\/24 eth0"/],
  'a large file from one container to another': [/1\.0 MB .* Verified by SHA-256/],
  'errors in a large log': [/ERROR request 7 failed/, /ERROR request 2007 failed/],
  'a configuration is edited and validated': [/\+workers = 4/, /Validated before it was put in place/],
  'the same command in all containers': [/6 equal: /, /103 \(db1\): "2\.6\.0-rc2"/],
  'a long job in the background': [/part 1\nreindexed/, /exit code 3/],
  'different looks at several containers': [/ERROR request 7 failed/, /\): "2\.[67]\.[01]/],
  'long jobs in several containers': [/exit code 3: "reindexed"/, /exit code 0: "compacted"/],
  'a change with a canary and a check': [/2 equal: .*interval = 300/, /Check passed in 2 containers/],
  'a command in a frozen container': [/CONTAINER_FROZEN/],
};

/** Starts a simulator with six containers, and stops it after the use. */
export async function onSimulator<T>(use: (node: NodeUnderEval) => Promise<T>): Promise<T> {
  const simulator = await Simulator.start({ scenario: SCENARIO });
  const { host, port, keyPath, knownHostsPath } = simulator.node().connection;
  try {
    return await use({
      name: 'simulator',
      settings: {
        HOST: host,
        SSH_PORT: String(port),
        SSH_KEY: keyPath,
        SSH_KNOWN_HOSTS: knownHostsPath,
        SSH_HOST_KEY_POLICY: 'strict',
      },
      roles: { main: 101, second: 102, stopped: 107, frozen: 106 },
      finds: FINDS,
      async freeze(vmid) {
        simulator.container(vmid).freeze();
        return async () => simulator.container(vmid).thaw();
      },
    });
  } finally {
    await simulator.stop();
  }
}
