import { refuse } from './answers.ts';

/**
 * The response form that a client accepts. The protocol requires clients to accept both application/json and
 * text/event-stream. Clients that accept only one, or send their HTTP library's default, get a form that they accept.
 */
export type AnswerForm =
  /** The client accepts both, as the protocol requires. */
  | 'either'
  /** One JSON document, without progress. */
  | 'json'
  /** Server-sent events only. */
  | 'stream';

/** The form for a request with this Accept header; undefined if the client accepts neither form. */
export function answerForm(
  accept: string | null,
  { method, onlyStreams }: { readonly method: string; readonly onlyStreams: boolean },
): AnswerForm | undefined {
  const json = qualityOf(accept, 'application', 'json');
  const stream = qualityOf(accept, 'text', 'event-stream');
  // The response to such a request is always a stream.
  if (method === 'GET' || onlyStreams) return stream.q > 0 ? 'either' : undefined;
  if (method !== 'POST') return 'either';
  if (json.q > 0) return stream.q > 0 && stream.named ? 'either' : 'json';
  return stream.q > 0 ? 'stream' : undefined;
}

/** The quality value of a media type, by the most specific matching range (RFC 9110, 12.5.1). */
function qualityOf(accept: string | null, type: string, subtype: string) {
  if (accept === null || accept.trim() === '') return { q: 1, named: false };
  let best = { q: 0, named: false, rank: 0 };
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    const rank = [`*/*`, `${type}/*`, `${type}/${subtype}`].indexOf(name) + 1;
    if (rank <= best.rank) continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    const q = Number(weight);
    best = { q: Number.isNaN(q) ? 1 : q, named: rank > 1, rank };
  }
  return best;
}

/** The request with an Accept header for both forms. Its body has been read. */
export function acceptingEither(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.set('accept', 'application/json, text/event-stream');
  return new Request(request.url, { method: request.method, headers, signal: request.signal });
}

/** `response` in the form that the client accepts. */
export async function inForm(form: AnswerForm, response: Response, batch: boolean): Promise<Response> {
  const type = response.headers.get('content-type') ?? '';
  if (response.status !== 200 || form === 'either') return response;
  if (form === 'json' && type.startsWith('text/event-stream')) return asJson(response, batch);
  if (form === 'stream' && type.startsWith('application/json')) return asStream(response);
  return response;
}

async function asJson(response: Response, batch: boolean): Promise<Response> {
  const answers = messagesIn(await response.text()).filter(isAnswer);
  const [first] = answers;
  if (first === undefined)
    return refuse(503, 'The server was shut down before the call ended. Try again later', { retryAfterS: 5 });
  return Response.json(batch ? answers : first, { headers: sessionOf(response) });
}

async function asStream(response: Response): Promise<Response> {
  const body: unknown = await response.json();
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  const events = messages.map((message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`);
  const headers = {
    ...sessionOf(response),
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
  };
  return new Response(events.join(''), { headers });
}

/** The JSON-RPC messages of a stream of server-sent events. */
function messagesIn(text: string): unknown[] {
  return text.split(/\n\n/).flatMap((event): unknown[] => {
    const data = event
      .split('\n')
      .flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trim()] : []));
    const joined = data.join('\n');
    return joined === '' ? [] : [JSON.parse(joined)];
  });
}

/** Whether the message is a result or an error, not a notification or a request to the client. */
function isAnswer(message: unknown): message is object {
  return typeof message === 'object' && message !== null && 'id' in message && !('method' in message);
}

function sessionOf(response: Response): Record<string, string> {
  const id = response.headers.get('mcp-session-id');
  return id === null ? {} : { 'Mcp-Session-Id': id };
}
