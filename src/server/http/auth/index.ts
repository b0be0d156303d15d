import type { Config } from '../../../config/settings-schema.ts';
import type { NamedToken } from '../../../config/token-formats.ts';
import { type Caller, TOOL_RIGHTS } from '../../../lib/caller.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Redactor } from '../../../lib/redactor.ts';
import type { Authenticator } from '../http-types.ts';
import { AccessTokens } from './access-token.ts';
import { BearerAuthentication, type OAuthParts } from './bearer.ts';
import { clientAddress } from './client-address.ts';
import { ensureGeneratedToken } from './generated-token.ts';
import { ResourceMetadata } from './resource-metadata.ts';
import { challengeMissingScopes } from './scope-challenge.ts';
import { scopeOf, usableRights } from './scopes.ts';
import { TokenTable } from './token-table.ts';
import { welcomeText } from './welcome.ts';

/** The name of whoever has the one token, set or made. */
const DEFAULT_NAME = 'default';

/**
 * Checks who a request comes from, as the settings want it. Where they name no token and no issuer, a token is made.
 * @throws AppError STATE_UNAVAILABLE when it cannot be kept
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
  // Known before the first line of the log that could hold it.
  if (generated !== undefined) deps.redactor.add('HTTP_TOKEN', generated.token);
  const table = new TokenTable([...(one === undefined ? [] : [withToolRights(one)]), ...httpTokens]);
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

/** Not `confirm`: a client that is set up in a minute must not confirm its own calls. */
function withToolRights(text: string): NamedToken {
  return { name: DEFAULT_NAME, rights: TOOL_RIGHTS, check: { text } };
}

function oauthOf(config: Config): OAuthParts | undefined {
  const { oauthIssuer, oauthAudience, oauthScopePrefix: scopePrefix, publicUrl } = config;
  if (oauthIssuer === undefined || oauthAudience === undefined) return undefined;
  const rights = usableRights(config);
  const scopes = rights.map((right) => scopeOf(right, scopePrefix));
  return {
    tokens: new AccessTokens(oauthIssuer, oauthAudience),
    metadata: new ResourceMetadata(publicUrl ?? oauthAudience, oauthIssuer, scopes),
    scopePrefix,
    rights,
  };
}

const ANYBODY: Caller = { name: 'anonymous', rights: new Set(TOOL_RIGHTS) };

/** `--no-auth`: whoever can reach the port may call. */
const OPEN: Authenticator = {
  authenticate: async () => ANYBODY,
  publicDocument: async () => undefined,
  challengeMissingScopes: () => {},
  welcome: () => undefined,
};
