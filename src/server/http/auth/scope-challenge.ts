import type { McpServer, ScopeChallengeHandler } from '@modelcontextprotocol/server';
import { permissionFor } from '../../../calls/ceilings.ts';
import { TOOLS } from '../../../tools/index.ts';
import type { Authenticator, HttpCaller } from '../http-types.ts';
import type { OAuthParts } from './bearer.ts';
import { scopeOf } from './scopes.ts';

/**
 * Answers a call with 403 `insufficient_scope` if the caller's JWT lacks the scope, so that the client can request it from the
 * issuer. If the settings forbid the tool anyway, the call continues and is refused with an ordinary error.
 */
export function challengeMissingScopes(
  server: McpServer,
  caller: HttpCaller,
  refuse: Parameters<Authenticator['challengeMissingScopes']>[2],
  oauth: Pick<OAuthParts, 'scopePrefix' | 'permissions'>,
): void {
  if (caller.authInfo === undefined) return;
  const challenge: ScopeChallengeHandler = async ({ request }) => {
    const name = request.method === 'tools/call' ? request.params?.name : undefined;
    const tool = TOOLS.find((each) => each.name === name);
    if (tool === undefined) return undefined;
    const permission = permissionFor(tool);
    if (caller.permissions.has(permission) || !oauth.permissions.includes(permission)) return undefined;
    await refuse(tool, argumentsOf(request.params));
    return {
      scopes: [scopeOf(permission, oauth.scopePrefix)],
      errorDescription: `The call needs the permission ${permission}`,
    };
  };
  // The SDK calls this before its response, in both protocol eras, for tools registered with it. Ours are not.
  server.resolveScopeChallenge = challenge;
}

function argumentsOf(params: object | undefined): Readonly<Record<string, unknown>> {
  const args = params !== undefined && 'arguments' in params ? params.arguments : undefined;
  return typeof args === 'object' && args !== null ? { ...args } : {};
}
