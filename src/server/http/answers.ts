/** Error codes of JSON-RPC and of MCP's HTTP transport for requests that are refused before dispatch. */
const RPC_CODES = { parse: -32700, invalid: -32600, refused: -32000, unknownSession: -32001 } as const;

/**
 * The response to a refused request: a JSON-RPC error without an id, which MCP clients can read.
 * @param retryAfterS seconds after which the client should try again
 */
export function refuse(
  status: number,
  message: string,
  { code = 'refused', retryAfterS }: { code?: keyof typeof RPC_CODES; retryAfterS?: number } = {},
): Response {
  const body = { jsonrpc: '2.0', error: { code: RPC_CODES[code], message }, id: null };
  const headers = retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) };
  return Response.json(body, { status, headers });
}
