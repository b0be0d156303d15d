import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { TestClient } from '../mcp/client.ts';
import { type Bench, callTool } from './bench.ts';
import { NODES, type Request, runningOn } from './large-cluster.ts';
import { atMost, median, type Row, timed } from './measure.ts';

const ROUNDS = 7;
const EXECS_PER_NODE = 20;
/** The node with long commands; commands of the others end at once. */
const SLOW = NODES - 1;
const SLOW_SECONDS = 8;
const HANGING = 24;
const CONTAINERS = 10_000;

const readyShape = z.object({ settings: z.record(z.string(), z.string()) });
const sessionsShape = z.object({ peak: z.number(), refused: z.number(), connections: z.number() });

/** Fifty simulated nodes with ten thousand containers: the list, the memory of the server, a node that hangs, and commands on all nodes. */
export async function cluster(bench: Bench): Promise<Row[]> {
  const process = await LargeCluster.start(bench);
  const server = await bench.serverAt({ ...process.settings, POLICY: 'open' });
  const list = async () => {
    const { containers } = await callTool(server, 'list_containers', {});
    if (!Array.isArray(containers) || containers.length !== CONTAINERS)
      throw new Error('the list is not complete');
  };
  await list();
  await list();
  const warm: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) warm.push(await timed(list));
  const resident = residentBytes(server.pid) / 1e6;

  await process.request({ hang: HANGING, on: true });
  const hanging: number[] = [];
  for (let round = 0; round < 3; round += 1) hanging.push(await timed(list));
  await process.request({ hang: HANGING, on: false });

  await connectAll(server);
  const share = await timed(() => execAll(server, [SLOW]));
  let undone = 0;
  const all = await timed(async () => {
    undone = await execAll(server, everyNode());
  });
  const { peak, refused, connections } = sessionsShape.parse(await process.request('sessions'));
  const plain = { floor: null, unit: '' } as const;
  return [
    {
      measure: 'list 10,000 containers of 50 nodes',
      unit: 'ms',
      ours: median(warm),
      floor: null,
      limit: atMost(1_000),
    },
    { measure: 'memory after it', unit: 'MB', ours: resident, floor: null, limit: atMost(200) },
    {
      measure: 'what a node that hangs adds to the list',
      unit: 'ms',
      ours: Math.max(...hanging) - median(warm),
      floor: null,
      limit: atMost(3_000),
    },
    {
      measure: '1,000 commands on 50 nodes, one of them slow',
      unit: 'ms',
      ours: all,
      floor: share,
      limit: atMost(1.5),
    },
    { measure: 'commands that did not end', ...plain, ours: undone, limit: atMost(0) },
    { measure: 'the most sessions on a connection', ...plain, ours: peak, limit: atMost(10) },
    { measure: 'sessions that a node refused', ...plain, ours: refused, limit: atMost(0) },
    { measure: 'connections', ...plain, ours: connections, limit: null },
    {
      measure: 'memory after 1,000 commands',
      unit: 'MB',
      ours: residentBytes(server.pid) / 1e6,
      floor: null,
      limit: null,
    },
  ];
}

const everyNode = () => Array.from({ length: NODES }, (_, index) => index);

const rowsShape = z.object({ containers: z.array(z.object({ exit_code: z.number().nullable() })) });

/** One command in twenty containers on each of these nodes, in one call. @returns in how many it did not run to its end */
async function execAll(server: TestClient, nodes: readonly number[]): Promise<number> {
  const vmids = nodes.flatMap((index) => runningOn(index).slice(0, EXECS_PER_NODE));
  const slow = runningOn(SLOW).map((vmid) => `ct${vmid}`);
  const command = `case $(hostname) in ${slow.join('|')}) sleep ${SLOW_SECONDS} ;; esac`;
  const args = { vmids, command, timeout: 120 };
  const { data, text } = await server.callTool('proxmox_exec_in_containers', args);
  const rows = rowsShape.safeParse(data).data?.containers;
  if (rows?.length !== vmids.length) throw new Error(text.slice(0, 1_000));
  return rows.filter(({ exit_code }) => exit_code !== 0).length;
}

/** One command on each node, ten at a time: 50 logins at once would wait for the one thread of the simulator. */
async function connectAll(server: TestClient): Promise<void> {
  for (let first = 0; first < NODES; first += 10) {
    const nodes = everyNode().slice(first, first + 10);
    await Promise.all(
      nodes.map((index) =>
        callTool(server, 'container_exec_command', { vmid: runningOn(index)[0], command: 'true' }),
      ),
    );
  }
}

/** The process with the simulated cluster. */
class LargeCluster {
  readonly settings: Readonly<Record<string, string>>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, settings: Readonly<Record<string, string>>) {
    this.#child = child;
    this.settings = settings;
  }

  static async start(bench: Bench): Promise<LargeCluster> {
    const child = fork(fileURLToPath(new URL('large-cluster.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
    });
    bench.onEnd(async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    });
    const [ready] = await once(child, 'message');
    return new LargeCluster(child, readyShape.parse(ready).settings);
  }

  async request(request: Request): Promise<unknown> {
    const answer = once(this.#child, 'message');
    this.#child.send(request);
    return (await answer)[0];
  }
}

function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`the kernel does not tell the memory of ${pid}`);
  return Number(kibibytes) * 1024;
}
