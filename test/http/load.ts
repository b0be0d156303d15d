import { readFileSync } from 'node:fs';
import { ERAS } from '../mcp/client.ts';
import { connectOverHttp, type HttpClient } from './client.ts';
import { type HttpServer, TOKEN } from './server.ts';

export interface Load {
  readonly clients: number;
  readonly callsEach: number;
  readonly vmids: readonly number[];
}

/** Settings that refuse nothing under load. */
export const RAISED = { RATE_LIMIT: '1000000', MAX_CONCURRENT: '1000', MAX_CONNECTIONS: '2000' };

/** Connects clients, of all eras in turn. */
export function connectMany(url: string, count: number): Promise<HttpClient[]> {
  return Promise.all(
    Array.from({ length: count }, (_, i) =>
      connectOverHttp({ url, token: TOKEN, era: ERAS[i % ERAS.length] ?? 'modern' }),
    ),
  );
}

/**
 * Lets all clients run commands at the same time, each client one call after the other. All count their requests from the same
 * number, so a client would accept an answer that was meant for another.
 * @returns the answers that do not match their question: normally none
 */
export async function callMany(clients: readonly HttpClient[], { callsEach, vmids }: Omit<Load, 'clients'>) {
  const wrong: string[] = [];
  await Promise.all(
    clients.map(async (client, i) => {
      for (let j = 0; j < callsEach; j += 1) {
        const vmid = vmids[(i + j) % vmids.length];
        const asked = `client ${i} call ${j}`;
        try {
          // On a slow machine a call waits long for its turn.
          const args = { vmid, command: `echo ${asked}`, timeout: 300 };
          const { data, text } = await client.callTool('proxmox_container_exec_command', args);
          if (data.stdout !== `${asked}\n` || data.exit_code !== 0) wrong.push(`${asked}: ${text}`);
        } catch (error) {
          wrong.push(`${asked}: ${String(error)}`);
        }
      }
    }),
  );
  return wrong;
}

/** Memory used by the server process, in MiB. */
export function memoryOf({ child }: HttpServer): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
