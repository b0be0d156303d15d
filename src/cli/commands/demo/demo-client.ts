import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { VERSION } from '../../../lib/version.ts';

/** The result of a tool call, as a client sees it. */
export interface Answer {
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
  readonly ms: number;
}

/** An MCP client, connected over stdio to a server process of this program. */
export class DemoClient {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /**
   * @param env all settings
   * @param configFile an empty file, so that the user's configuration file is not read
   */
  static async start(env: Record<string, string>, configFile: string): Promise<DemoClient> {
    const client = new Client({ name: 'proxmox-mcp-demo', version: VERSION });
    const [, program = ''] = process.argv;
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [...process.execArgv, program, '--config', configFile],
      env: { ...env, LOG_LEVEL: 'error' },
      stderr: 'inherit',
    });
    await client.connect(transport);
    return new DemoClient(client);
  }

  get protocol(): string {
    return this.#client.getNegotiatedProtocolVersion() ?? '';
  }

  async call(name: string, args: Record<string, unknown>): Promise<Answer> {
    const since = performance.now();
    const result = await this.#client.callTool({ name: `proxmox_${name}`, arguments: args });
    const ms = Math.round(performance.now() - since);
    const text = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
    const { structuredContent } = result;
    const data =
      typeof structuredContent === 'object' && structuredContent !== null ? { ...structuredContent } : {};
    return { text, data, isError: result.isError === true, ms };
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
