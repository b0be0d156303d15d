import { connectClient, type TestClient } from '../mcp/client.ts';
import type { Rig } from '../rig/rig.ts';
import { OpenSsh } from './openssh.ts';

/** The resources of the measurements. `end` releases everything that was opened or created, also after an error. */
export class Bench {
  readonly #rig: Rig | undefined;
  readonly #undo: (() => Promise<void>)[] = [];

  /**
   * @param rig undefined for measures without it
   */
  constructor(rig: Rig | undefined) {
    this.#rig = rig;
  }

  get rig(): Rig {
    if (this.#rig === undefined) throw new Error('this measure needs the rig');
    return this.#rig;
  }

  /** The built server, over stdio, with the official client. */
  server(env: Readonly<Record<string, string>> = {}): Promise<TestClient> {
    const { host, port, keys, paths } = this.rig.info;
    return this.serverAt({
      I_ACCEPT_RISKS: 'true',
      HOST: host,
      SSH_PORT: String(port),
      SSH_KEY: keys.plain,
      SSH_KNOWN_HOSTS: paths.knownHosts,
      SSH_HOST_KEY_POLICY: 'strict',
      ...env,
    });
  }

  /** The built server with only these settings. */
  async serverAt(env: Readonly<Record<string, string>>): Promise<TestClient> {
    const client = await connectClient({ era: 'modern', env });
    this.onEnd(() => client.close());
    return client;
  }

  async openSsh(): Promise<OpenSsh> {
    const connection = await OpenSsh.connect(this.rig);
    this.onEnd(() => connection.close());
    return connection;
  }

  onEnd(undo: () => Promise<void>): void {
    this.#undo.push(undo);
  }

  /** Releases everything, in reverse order. */
  async end(): Promise<void> {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) await undo();
  }
}

/** Calls a tool that must succeed: a fast failure must not count as a fast call. */
export async function callTool(
  client: TestClient,
  tool: string,
  args: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const { isError, data, text } = await client.callTool(`proxmox_${tool}`, args);
  if (isError || data.success === false) throw new Error(`${tool}: ${text}`);
  return data;
}
