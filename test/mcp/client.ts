import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';

/** The clients: the 2.x client in both protocol eras, and the 1.x client. */
export const ERAS = ['modern', 'legacy', 'v1'] as const;
export type Era = (typeof ERAS)[number];

export interface ConnectOptions {
  readonly era?: Era;
  /** Settings of the server; nothing else is inherited except PATH, HOME and similar variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Answers questions; the client then declares that it shows them. */
  readonly respond?: Responder;
  /** Working directory of the server; by default an empty one that is removed afterwards. */
  readonly cwd?: string;
}

/** Answers a question as the user of the client. */
export type Responder = (question: string) => Promise<{
  readonly action: 'accept' | 'decline' | 'cancel';
  readonly content?: Record<string, boolean>;
}>;

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (note: Progress) => void;
  readonly timeoutMs?: number;
}

export interface Progress {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

const resultShape = z.object({
  isError: z.boolean().default(false),
  // Tools whose result is the text of a container return only the text.
  structuredContent: z.record(z.string(), z.unknown()).default({}),
  content: z.tuple([z.object({ type: z.literal('text'), text: z.string() })]),
});

/** The answer of a tool, in the same form for every client. */
export interface CallResult {
  readonly isError: boolean;
  readonly data: Record<string, unknown>;
  readonly text: string;
}

const toolShape = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  inputSchema: z.record(z.string(), z.unknown()),
  outputSchema: z.record(z.string(), z.unknown()).optional(),
  annotations: z.record(z.string(), z.unknown()),
});

export type ListedTool = z.output<typeof toolShape>;

/** Requests other than tools, with answers and errors in the form of the client's SDK. */
export interface Asking {
  getServerCapabilities(): Record<string, unknown> | undefined;
  listPrompts(): Promise<unknown>;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Promise<unknown>;
  listResources(): Promise<unknown>;
  listResourceTemplates(): Promise<unknown>;
  readResource(params: { uri: string }): Promise<unknown>;
}

export interface TestClient {
  readonly asking: Asking;
  /** Rejects with an error that has the JSON-RPC `code` if the protocol refuses the call. */
  callTool(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<CallResult>;
  listTools(): Promise<ListedTool[]>;
  /** What the server has written to stderr so far. */
  stderr(): string;
  readonly pid: number;
  /** Calls that still run then are never settled. */
  close(): Promise<void>;
}

/** The command line that starts the server: from the sources, or from the build that SERVER_ENTRY names. */
export function serverCommand(args: readonly string[] = []): { command: string; args: string[] } {
  const entry = path.resolve(
    process.env.SERVER_ENTRY ?? fileURLToPath(new URL('../../src/bin.ts', import.meta.url)),
  );
  // By its absolute address, because the server runs in another directory. Never through npx, whose child would be orphaned.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const loader = /\.m?ts$/.test(entry) ? ['--import', tsx] : [];
  return { command: process.execPath, args: [...loader, entry, ...args] };
}

/** Starts a server process and connects an official client to it over stdio. */
export async function connectClient(options: ConnectOptions = {}): Promise<TestClient> {
  const own = await mkdtemp(path.join(tmpdir(), 'mcp-client-'));
  const cwd = options.cwd ?? path.join(own, 'cwd');
  if (options.cwd === undefined) await mkdir(cwd);
  const parameters = {
    ...serverCommand(options.args),
    cwd,
    // Neither the state nor the configuration of the user who runs the tests.
    env: { STATE_DIR: path.join(own, 'state'), XDG_CONFIG_HOME: path.join(own, 'config'), ...options.env },
    stderr: 'pipe' as const,
  };
  const removeOwn = () => rm(own, { recursive: true, force: true });
  const connection =
    options.era === 'v1'
      ? connectV1(parameters, options.respond)
      : connectV2(parameters, options.era ?? 'modern', options.respond);
  const stderr = collect(connection.stderr());
  try {
    await connection.open();
  } catch (error) {
    await connection.close();
    await removeOwn();
    throw new Error(`the server did not start: ${stderr()}`, { cause: error });
  }
  const talk = speakOver(connection);
  return {
    ...talk,
    stderr,
    pid: connection.pid(),
    async close() {
      await talk.close();
      await removeOwn();
    },
  };
}

/** The functions of a client of any version, over any transport. */
export function speakOver(connection: Conversation): Omit<TestClient, 'stderr' | 'pid'> {
  let closed = false;
  return {
    asking: connection.asking,
    async callTool(name, args = {}, callOptions = {}) {
      try {
        const result = resultShape.parse(await connection.call(name, args, callOptions));
        return { isError: result.isError, data: result.structuredContent, text: result.content[0].text };
      } catch (error) {
        // A test that has failed leaves calls behind, whose rejection would fail the whole run although the test is repeated.
        if (closed) return new Promise(() => {});
        throw error;
      }
    },
    async listTools() {
      return z.array(toolShape).parse(await connection.list());
    },
    close() {
      closed = true;
      return connection.close();
    },
  };
}

/**
 * How a call ends that is expected to be rejected: never an error, because one that comes before the test waits for it would fail
 * the whole run instead of the test.
 */
export function endOf(call: Promise<CallResult>): Promise<string> {
  return call.then(
    ({ text }) => `answered: ${text}`,
    () => 'rejected',
  );
}

/** An official client, with the differences between versions removed. */
export interface Conversation {
  readonly asking: Asking;
  open(): Promise<void>;
  call(name: string, args: Record<string, unknown>, options: CallOptions): Promise<unknown>;
  list(): Promise<unknown>;
  close(): Promise<void>;
}

interface Connection extends Conversation {
  stderr(): unknown;
  pid(): number;
}

type Parameters = ConstructorParameters<typeof StdioV2>[0];

export const clientInfo = { name: 'test-client', version: '1.0.0' };

function connectV2(parameters: Parameters, era: 'modern' | 'legacy', respond?: Responder): Connection {
  const client = new ClientV2(clientInfo, {
    versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' },
    ...(respond === undefined ? {} : { capabilities: { elicitation: { form: {} } } }),
  });
  if (respond !== undefined) {
    client.setRequestHandler('elicitation/create', ({ params }) => respond(params.message));
  }
  const transport = new StdioV2(parameters);
  return {
    asking: client,
    open: () => client.connect(transport),
    call: (name, args, options) => client.callTool({ name, arguments: args }, requestOptions(options)),
    list: async () => (await client.listTools()).tools,
    stderr: () => transport.stderr,
    pid: () => transport.pid ?? 0,
    close: () => client.close(),
  };
}

function connectV1(parameters: Parameters, respond?: Responder): Connection {
  const client = new ClientV1(clientInfo, respond === undefined ? {} : { capabilities: { elicitation: {} } });
  if (respond !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => respond(params.message));
  }
  const transport = new StdioV1(parameters);
  return {
    asking: client,
    open: () => client.connect(transport),
    call: (name, args, options) =>
      client.callTool({ name, arguments: args }, undefined, requestOptions(options)),
    list: async () => (await client.listTools()).tools,
    stderr: () => transport.stderr,
    pid: () => transport.pid ?? 0,
    close: () => client.close(),
  };
}

export function requestOptions(options: CallOptions) {
  return {
    // Longer than any command of a test: a timeout of the client would look like one of the server.
    timeout: options.timeoutMs ?? 320_000,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onprogress: options.onProgress }),
  };
}

function collect(stream: unknown): () => string {
  let text = '';
  if (isReadable(stream)) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
  }
  return () => text;
}

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === 'object' && stream !== null && 'on' in stream;
}
