import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CT } from '../rig/rig.ts';
import { must } from '../rig/run.ts';
import { type Bench, callTool } from './bench.ts';
import { atMost, type Row, type Subject, takeTurns, timed } from './measure.ts';

const SIZE = 256 * 1024 * 1024;
const ROUNDS = 5;
/** On disk at each end: /tmp may be a tmpfs, and the package folder is refused as a transfer directory. */
const ON_NODE = '/tmp/proxmox-mcp-bench.bin';
const IN_CONTAINER = '/var/tmp/proxmox-mcp-bench.bin';

/**
 * A large file up and down, to a container and to the node. The server compares SHA-256 of both ends, so the floor is scp and
 * one sha256sum on the node. The floor always copies to the node: OpenSSH cannot copy into a container.
 */
export async function transfers(bench: Bench): Promise<Row[]> {
  const { rig } = bench;
  const dir = mkdtempSync('/var/tmp/bench-');
  bench.onEnd(async () => {
    rmSync(dir, { recursive: true, force: true });
    await rig.inNode(['rm', '-f', ON_NODE]);
    await rig.inContainer(CT.debian, ['rm', '-f', IN_CONTAINER]);
  });
  const env = { TRANSFER_DIRS: dir, MAX_FILE_SIZE: String(SIZE), ENABLE_HOST_EXEC: 'true' };
  const [server, openSsh] = await Promise.all([bench.server(env), bench.openSsh()]);
  const content = randomBytes(SIZE);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const source = join(dir, 'source.bin');
  const received = join(dir, 'received.bin');
  writeFileSync(source, content);
  const container = { vmid: CT.debian, container_path: IN_CONTAINER };
  const host = { host_path: ON_NODE };

  const ours = async (tool: string, args: Record<string, unknown>) => {
    const data = await callTool(server, tool, args);
    if (data.sha256 !== sha256) throw new Error(`${tool}: the wrong content`);
  };
  const hashOnNode = async () => {
    if (!(await openSsh.run(`sha256sum ${ON_NODE}`)).startsWith(sha256)) throw new Error('the wrong content');
  };
  const fresh = (work: () => Promise<void>, clear: () => Promise<unknown>): Subject => {
    return async () => {
      await clear();
      // The next run must not wait for data of the previous one.
      await must(['sync', '--file-system', dir]);
      return timed(work);
    };
  };
  const checkReceived = () => {
    if (!readFileSync(received).equals(content)) throw new Error('the wrong content');
  };
  const rmOnNode = () => rig.inNode(['rm', '-f', ON_NODE]);
  const rmInContainer = () => rig.inContainer(CT.debian, ['rm', '-f', IN_CONTAINER]);
  const rmLocal = async () => {
    if (existsSync(received)) checkReceived();
    rmSync(received, { force: true });
  };

  const up = await takeTurns(ROUNDS, [
    fresh(() => ours('upload_file_to_container', { ...container, local_path: source }), rmInContainer),
    fresh(() => ours('upload_file_to_host', { ...host, local_path: source }), rmOnNode),
    fresh(async () => {
      await openSsh.copyToNode(source, ON_NODE);
      await hashOnNode();
    }, rmOnNode),
  ]);
  const down = await takeTurns(ROUNDS, [
    fresh(() => ours('download_file_from_container', { ...container, local_path: received }), rmLocal),
    fresh(() => ours('download_file_from_host', { ...host, local_path: received }), rmLocal),
    fresh(async () => {
      await openSsh.copyFromNode(ON_NODE, received);
      await hashOnNode();
    }, rmLocal),
  ]);
  checkReceived();
  return [...rows('upload', 'to', up), ...rows('download', 'from', down)];
}

function rows(verb: string, preposition: string, [container, host, scp]: readonly [number, number, number]) {
  const row = (place: string, ms: number): Row => ({
    measure: `${verb} 256 MiB ${preposition} ${place}`,
    unit: 'ms',
    ours: ms,
    floor: scp,
    limit: atMost(1),
  });
  return [row('a container', container), row('the node', host)];
}
