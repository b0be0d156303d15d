import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { serverCommand } from '../mcp/client.ts';
import { until } from '../rig/until.ts';

const resultShape = z.object({
  resultType: z.string().optional(),
  requestState: z.string().optional(),
  inputRequests: z.unknown().optional(),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
});

export type RawResult = z.output<typeof resultShape>;

/** Sends raw protocol messages to a separate server, because clients choose what they return. */
export class RawClient {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers = new Map<number, unknown>();
  #id = 0;

  constructor(env: Readonly<Record<string, string>>) {
    const { command, args } = serverCommand();
    this.#child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' });
    this.#child.stderr.resume();
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { id, result } = z.object({ id: z.number(), result: z.unknown() }).parse(JSON.parse(line));
      this.#answers.set(id, result);
    });
  }

  /**
   * @param brought what the client returns from an earlier answer
   */
  async call(name: string, args: object, brought: object = {}): Promise<RawResult> {
    const id = ++this.#id;
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'replay', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
    };
    const params = { name: `proxmox_${name}`, arguments: args, _meta, ...brought };
    this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })}\n`);
    await until(() => this.#answers.has(id));
    return resultShape.parse(this.#answers.get(id));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Approves the question of an answer. */
export const yes = (requestState: string | undefined) => ({
  requestState,
  inputResponses: { confirmation: { action: 'accept', content: { allow: true } } },
});

/** The error code, otherwise the type of the result. */
export const codeOf = (result: RawResult) => result.structuredContent?.code ?? result.resultType;
