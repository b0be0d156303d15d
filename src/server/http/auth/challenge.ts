/** The content of a WWW-Authenticate response (RFC 6750 section 3, RFC 9728 section 5.1). */
export interface Challenge {
  readonly status: 401 | 403 | 429 | 503;
  /** Absent if the request had no token. */
  readonly error?: 'invalid_token' | 'insufficient_scope' | 'temporarily_unavailable';
  /** A sentence for people. ASCII without quotes and backslashes, because it is part of a header. */
  readonly description: string;
  /** The required scopes. */
  readonly scope?: string;
  /** URL of the protected-resource metadata; only if an issuer is configured. */
  readonly metadataUrl?: string;
  readonly retryAfterS?: number;
}

/** The response that refuses a request. Its body has the form of OAuth errors. */
export function refuse(challenge: Challenge): Response {
  const { status, error, description, retryAfterS } = challenge;
  const headers = new Headers({ 'Cache-Control': 'no-store' });
  if (status === 401 || status === 403) headers.set('WWW-Authenticate', headerOf(challenge));
  if (retryAfterS !== undefined) headers.set('Retry-After', String(retryAfterS));
  const body = { error: error ?? 'unauthorized', error_description: description };
  return Response.json(body, { status, headers });
}

function headerOf({ error, description, scope, metadataUrl }: Challenge): string {
  const parts = [
    error === undefined ? undefined : `error="${error}"`,
    error === undefined ? undefined : `error_description="${description}"`,
    scope === undefined ? undefined : `scope="${scope}"`,
    metadataUrl === undefined ? undefined : `resource_metadata="${metadataUrl}"`,
  ].filter((part) => part !== undefined);
  return `Bearer ${parts.length === 0 ? 'realm="proxmox-mcp"' : parts.join(', ')}`;
}
