import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  type Conversation,
  clientInfo,
  type Era,
  requestOptions,
  speakOver,
  type TestClient,
} from '../mcp/client.ts';

export interface HttpClientOptions {
  readonly url: string;
  readonly token?: string;
  readonly era?: Era;
}

export type HttpClient = Omit<TestClient, 'stderr' | 'pid'>;

/** Connects an official client of an era to a server that runs. */
export async function connectOverHttp({
  url,
  token,
  era = 'modern',
}: HttpClientOptions): Promise<HttpClient> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const init = { requestInit: { headers } };
  const conversation = era === 'v1' ? converseV1(new URL(url), init) : converseV2(new URL(url), init, era);
  await conversation.open();
  return speakOver(conversation);
}

interface Init {
  readonly requestInit: { readonly headers: Record<string, string> };
}

function converseV2(url: URL, init: Init, era: 'modern' | 'legacy'): Conversation {
  const client = new ClientV2(clientInfo, {
    versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' },
  });
  const transport = new HttpV2(url, init);
  return {
    open: () => client.connect(transport),
    call: (name, args, options) => client.callTool({ name, arguments: args }, requestOptions(options)),
    list: async () => (await client.listTools()).tools,
    close: () => client.close(),
  };
}

function converseV1(url: URL, init: Init): Conversation {
  const client = new ClientV1(clientInfo);
  const transport = new HttpV1(url, init);
  return {
    open: () => client.connect(transport),
    call: (name, args, options) =>
      client.callTool({ name, arguments: args }, undefined, requestOptions(options)),
    list: async () => (await client.listTools()).tools,
    close: () => client.close(),
  };
}
