import * as z from 'zod';
import { TOKEN } from './server.ts';

const REVISION = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': REVISION,
  'io.modelcontextprotocol/clientInfo': { name: 'by-hand', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** The headers of every POST of MCP, with changes for a test. */
export function headersOf(more: Record<string, string> = {}): Record<string, string> {
  return {
    Authorization: `Bearer ${TOKEN}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    ...more,
  };
}

/** A raw request of 2026-07-28. */
export function modern(
  method: string,
  params: Record<string, unknown> = {},
  more: Record<string, string> = {},
  meta: Record<string, unknown> = {},
) {
  const named = params.name ?? params.uri;
  const name: Record<string, string> = typeof named === 'string' ? { 'Mcp-Name': named } : {};
  return {
    method: 'POST',
    headers: headersOf({ 'MCP-Protocol-Version': REVISION, 'Mcp-Method': method, ...name, ...more }),
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: { ...params, _meta: { ...META, ...meta } },
    }),
  };
}

/** A raw request of 2025. */
export function legacy(message: Record<string, unknown>, more: Record<string, string> = {}) {
  return { method: 'POST', headers: headersOf(more), body: JSON.stringify({ jsonrpc: '2.0', ...message }) };
}

/** The first request of a session of 2025. */
export const INITIALIZE = {
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'by-hand', version: '1' },
  },
};

/** Begins a session of 2025. */
export async function openSession(
  url: string,
  token = TOKEN,
  capabilities: Record<string, unknown> = {},
): Promise<{ status: number; id: string }> {
  const message = { ...INITIALIZE, params: { ...INITIALIZE.params, capabilities } };
  const response = await fetch(url, legacy(message, { Authorization: `Bearer ${token}` }));
  await response.text();
  return { status: response.status, id: response.headers.get('mcp-session-id') ?? '' };
}

/** Lists the tools in a session; the status shows whether the session exists for this token. */
export async function useSession(url: string, id: string, token = TOKEN): Promise<number> {
  const headers = { Authorization: `Bearer ${token}`, 'Mcp-Session-Id': id };
  const response = await fetch(url, legacy({ id: 1, method: 'tools/list' }, headers));
  await response.text();
  return response.status;
}

const refusalShape = z.object({ error: z.object({ message: z.string() }) });

/** The message of a refusal. */
export async function messageOf(response: Response): Promise<string> {
  return refusalShape.parse(await response.json()).error.message;
}
