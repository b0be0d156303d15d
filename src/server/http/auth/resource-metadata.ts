const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** The protected-resource metadata (RFC 9728), from which clients learn how to get a token for this server. */
export class ResourceMetadata {
  /** Its URL, as in the WWW-Authenticate header. */
  readonly url: string;
  readonly #paths: readonly string[];
  readonly #document: object;

  /** @param resource the public URL of this server's `/mcp` */
  constructor(resource: string, issuer: string, scopes: readonly string[]) {
    const { origin, pathname } = new URL(resource);
    const path = pathname.replace(/\/$/, '');
    this.url = `${origin}${WELL_KNOWN}${path}`;
    // A reverse proxy may publish the server under a different path.
    this.#paths = [WELL_KNOWN, `${WELL_KNOWN}/mcp`, `${WELL_KNOWN}${path}`];
    this.#document = {
      resource,
      authorization_servers: [issuer],
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
      resource_name: 'Proxmox VE containers',
    };
  }

  /** The document, or undefined if the request is for something else. Public: any web page may read it. */
  respond(request: Request): Response | undefined {
    if (!this.#paths.includes(new URL(request.url).pathname.replace(/\/$/, ''))) return undefined;
    const headers = { 'Access-Control-Allow-Origin': '*' };
    if (request.method === 'OPTIONS') {
      const allowed = { 'Access-Control-Allow-Methods': 'GET', 'Access-Control-Allow-Headers': '*' };
      return new Response(null, { status: 204, headers: { ...headers, ...allowed } });
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response(null, { status: 405, headers: { ...headers, Allow: 'GET, HEAD, OPTIONS' } });
    }
    return Response.json(this.#document, { headers: { ...headers, 'Cache-Control': 'max-age=3600' } });
  }
}
