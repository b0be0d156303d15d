import type { McpServer, ScopeChallengeHandler } from '@modelcontextprotocol/server';
import { rightFor } from '../../../calls/ceilings.ts';
import { TOOLS } from '../../../tools/index.ts';
import type { Authenticator, HttpCaller } from '../http-types.ts';
import type { OAuthParts } from './bearer.ts';
import { scopeOf } from './scopes.ts';

/**
 * Lets a call for which the caller's JWT lacks the scope be answered with 403 `insufficient_scope`, so that its client can
 * ask the issuer for more. Where more would not help, because the settings shut the tool, the call goes on to be refused.
 */
export function challengeMissingScopes(
  server: McpServer,
  caller: HttpCaller,
  refuse: Parameters<Authenticator['challengeMissingScopes']>[2],
  oauth: Pick<OAuthParts, 'scopePrefix' | 'rights'>,
): void {
  if (caller.authInfo === undefined) return;
  const challenge: ScopeChallengeHandler = async ({ request }) => {
    const name = request.method === 'tools/call' ? request.params?.name : undefined;
    const tool = TOOLS.find((each) => each.name === name);
    if (tool === undefined) return undefined;
    const right = rightFor(tool);
    if (caller.rights.has(right) || !oauth.rights.includes(right)) return undefined;
    await refuse(tool, argumentsOf(request.params));
    return {
      scopes: [scopeOf(right, oauth.scopePrefix)],
      errorDescription: `The call needs the right ${right}`,
    };
  };
  // The SDK asks this before it answers, in both eras, for tools that are registered with it; ours are not.
  server.resolveScopeChallenge = challenge;
}

function argumentsOf(params: object | undefined): Readonly<Record<string, unknown>> {
  const args = params !== undefined && 'arguments' in params ? params.arguments : undefined;
  return typeof args === 'object' && args !== null ? { ...args } : {};
}
