import type { Config } from '../../../config/settings-schema.ts';
import type { NamedToken } from '../../../config/token-formats.ts';
import { type Caller, TOOL_PERMISSIONS } from '../../../lib/caller.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Redactor } from '../../../lib/redactor.ts';
import type { Authenticator } from '../http-types.ts';
import { AccessTokens } from './access-token.ts';
import { BearerAuthentication, type OAuthParts } from './bearer.ts';
import { clientAddress } from './client-address.ts';
import { ensureGeneratedToken } from './generated-token.ts';
import { ResourceMetadata } from './resource-metadata.ts';
import { challengeMissingScopes } from './scope-challenge.ts';
import { scopeOf, usablePermissions } from './scopes.ts';
import { TokenTable } from './token-table.ts';
import { welcomeText } from './welcome.ts';

/** The caller name for HTTP_TOKEN and for a generated token. */
const DEFAULT_NAME = 'default';

/**
 * Creates the authenticator for the settings. Without a token and an issuer in the settings, a token is generated.
 * @throws AppError STATE_UNAVAILABLE if a generated token cannot be stored
 */
export async function createAuthenticator(
  config: Config,
  deps: { readonly logger: Logger; readonly redactor: Redactor },
): Promise<Authenticator> {
  if (!config.httpAuth) return OPEN;
  const { httpToken, httpTokens = [] } = config;
  const oauth = oauthOf(config);
  const missing = httpToken === undefined && httpTokens.length === 0 && oauth === undefined;
  const generated = missing ? await ensureGeneratedToken(config.stateDir) : undefined;
  const one = generated?.token ?? httpToken;
  // Registered for redaction before any log line can contain it.
  if (generated !== undefined) deps.redactor.add('HTTP_TOKEN', generated.token);
  const table = new TokenTable([...(one === undefined ? [] : [withToolPermissions(one)]), ...httpTokens]);
  const bearer = new BearerAuthentication({ table, oauth, logger: deps.logger });
  return {
    authenticate: (request, peer) =>
      bearer.authenticate(request, clientAddress(request, peer, config.behindProxy)),
    publicDocument: async (request) => oauth?.metadata.respond(request),
    challengeMissingScopes: (server, caller, refuse) => {
      if (oauth !== undefined) challengeMissingScopes(server, caller, refuse, oauth);
    },
    welcome: (url) =>
      generated === undefined ? undefined : welcomeText(generated, url, process.stderr.isTTY === true),
  };
}

/** Without `confirm`: by default, a client must not be able to approve its own calls. */
function withToolPermissions(text: string): NamedToken {
  return { name: DEFAULT_NAME, permissions: TOOL_PERMISSIONS, check: { text } };
}

function oauthOf(config: Config): OAuthParts | undefined {
  const { oauthIssuer, oauthAudience, oauthScopePrefix: scopePrefix, publicUrl } = config;
  if (oauthIssuer === undefined || oauthAudience === undefined) return undefined;
  const permissions = usablePermissions(config);
  const scopes = permissions.map((permission) => scopeOf(permission, scopePrefix));
  return {
    tokens: new AccessTokens(oauthIssuer, oauthAudience),
    metadata: new ResourceMetadata(publicUrl ?? oauthAudience, oauthIssuer, scopes),
    scopePrefix,
    permissions,
  };
}

const ANYBODY: Caller = { name: 'anonymous', permissions: new Set(TOOL_PERMISSIONS) };

/** `--no-auth`: anyone who can connect to the port may call. */
const OPEN: Authenticator = {
  authenticate: async () => ANYBODY,
  publicDocument: async () => undefined,
  challengeMissingScopes: () => {},
  welcome: () => undefined,
};
