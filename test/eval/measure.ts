import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { connectClient, type TestClient } from '../mcp/client.ts';
import { type Job, jobsOn } from './jobs.ts';
import type { NodeUnderEval } from './node-under-eval.ts';

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
  /** The results, for a person who looks for the reason of a difference. */
  readonly text: string;
}

/** Does all tasks on a node, with a real server. */
export async function measureJobs(node: NodeUnderEval): Promise<Measured[]> {
  const dir = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-eval-'));
  const client = await connectClient({
    env: {
      ...node.settings,
      I_ACCEPT_RISKS: 'true',
      TRANSFER_DIRS: dir,
      STATE_DIR: path.join(dir, 'state'),
    },
  });
  try {
    const measured: Measured[] = [];
    for (const job of jobsOn(node.roles)) {
      const thaw = job.frozen === undefined ? undefined : await node.freeze(job.frozen);
      try {
        measured.push(await measureJob(client, job, node.finds[job.name]));
      } finally {
        await thaw?.();
      }
    }
    return measured;
  } finally {
    await client.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function measureJob(
  client: TestClient,
  { name, steps }: Job,
  finds: readonly RegExp[],
): Promise<Measured> {
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
  const text = texts.join('\n');
  const missing = finds.filter((find) => !find.test(text)).map(String);
  return { job: name, calls: steps.length, characters: text.length, tokens, missing, text };
}
