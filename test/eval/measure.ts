import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { Simulator } from '../../src/simulator/simulator.ts';
import { connectClient } from '../mcp/client.ts';
import { JOBS, type Job } from './jobs.ts';
import { EVAL_SCENARIO } from './scenario.ts';

/** The cost of a task for an assistant. */
export interface Cost {
  readonly calls: number;
  /** Characters of all results, as text. */
  readonly characters: number;
  /** Tokens (o200k) of the arguments and the results. */
  readonly tokens: number;
}

export interface Measured extends Cost {
  readonly job: string;
  /** Expected texts that the results lack. Empty if the task was completed. */
  readonly missing: readonly string[];
}

/** Runs all tasks with a real server on the simulator. */
export async function measureJobs(jobs: readonly Job[] = JOBS): Promise<Measured[]> {
  const simulator = await Simulator.start({ scenario: EVAL_SCENARIO });
  const dir = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-eval-'));
  const { host, port, keyPath, knownHostsPath } = simulator.node().connection;
  const client = await connectClient({
    env: {
      I_ACCEPT_RISKS: 'true',
      HOST: host,
      SSH_PORT: String(port),
      SSH_KEY: keyPath,
      SSH_KNOWN_HOSTS: knownHostsPath,
      SSH_HOST_KEY_POLICY: 'strict',
      TRANSFER_DIRS: dir,
      STATE_DIR: path.join(dir, 'state'),
    },
  });
  try {
    const measured: Measured[] = [];
    for (const { name, steps, finds } of jobs) {
      const texts: string[] = [];
      let tokens = 0;
      let previous: Readonly<Record<string, unknown>> = {};
      for (const { tool, args: given } of steps) {
        const args = typeof given === 'function' ? given(previous) : given;
        const { data, text } = await client.callTool(`proxmox_${tool}`, { ...args });
        previous = data;
        texts.push(text);
        tokens += encode(JSON.stringify(args)).length + encode(text).length;
      }
      const all = texts.join('\n');
      const missing = finds.filter((find) => !find.test(all)).map(String);
      measured.push({ job: name, calls: steps.length, characters: all.length, tokens, missing });
    }
    return measured;
  } finally {
    await client.close();
    await simulator.stop();
    await rm(dir, { recursive: true, force: true });
  }
}
