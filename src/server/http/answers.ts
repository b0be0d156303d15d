/** Codes of JSON-RPC and of MCP's HTTP transport that refusals before any dispatch carry. */
const RPC_CODES = { parse: -32700, invalid: -32600, refused: -32000, unknownSession: -32001 } as const;

/**
 * Refuses a request in the form in which MCP clients look for the reason: a JSON-RPC error without an id.
 * @param retryAfterS seconds after which trying again makes sense
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
