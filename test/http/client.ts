import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import {
  type Conversation,
  clientInfo,
  type Era,
  type Responder,
  requestOptions,
  speakOver,
  type TestClient,
} from '../mcp/client.ts';

export interface HttpClientOptions {
  readonly url: string;
  readonly token?: string;
  readonly era?: Era;
  /** Answers questions; the client then declares that it shows them. */
  readonly respond?: Responder;
}

export type HttpClient = Omit<TestClient, 'stderr' | 'pid'>;

/** Connects an official client of an era to a running server. */
export async function connectOverHttp({
  url,
  token,
  era = 'modern',
  respond,
}: HttpClientOptions): Promise<HttpClient> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const init = { requestInit: { headers } };
  const conversation =
    era === 'v1' ? converseV1(new URL(url), init, respond) : converseV2(new URL(url), init, era, respond);
  await conversation.open();
  return speakOver(conversation);
}

interface Init {
  readonly requestInit: { readonly headers: Record<string, string> };
}

function converseV2(url: URL, init: Init, era: 'modern' | 'legacy', respond?: Responder): Conversation {
  const client = new ClientV2(clientInfo, {
    versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' },
    ...(respond === undefined ? {} : { capabilities: { elicitation: { form: {} } } }),
  });
  if (respond !== undefined) {
    client.setRequestHandler('elicitation/create', ({ params }) => respond(params.message));
  }
  const transport = new HttpV2(url, init);
  return {
    asking: client,
    open: () => client.connect(transport),
    call: (name, args, options) => client.callTool({ name, arguments: args }, requestOptions(options)),
    list: async () => (await client.listTools()).tools,
    close: () => client.close(),
  };
}

function converseV1(url: URL, init: Init, respond?: Responder): Conversation {
  const client = new ClientV1(clientInfo, respond === undefined ? {} : { capabilities: { elicitation: {} } });
  if (respond !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => respond(params.message));
  }
  const transport = new HttpV1(url, init);
  return {
    asking: client,
    open: () => client.connect(transport),
    call: (name, args, options) =>
      client.callTool({ name, arguments: args }, undefined, requestOptions(options)),
    list: async () => (await client.listTools()).tools,
    close: () => client.close(),
  };
}
