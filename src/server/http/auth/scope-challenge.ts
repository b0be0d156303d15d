import type { McpServer, ScopeChallengeHandler } from '@modelcontextprotocol/server';
import { TOOLS } from '../../../tools/index.ts';
import { rightFor } from '../../decide.ts';
import type { HttpCaller } from '../types.ts';
import type { OAuthParts } from './bearer.ts';
import { scopeOf } from './rights.ts';

/**
 * Lets a call for which the caller's JWT lacks the scope be answered with 403 `insufficient_scope`, so that its client can
 * ask the issuer for more. Where more would not help, because the settings shut the tool, the call is refused as any other.
 */
export function guard(
  server: McpServer,
  caller: HttpCaller,
  oauth: Pick<OAuthParts, 'scopePrefix' | 'rights'>,
): void {
  if (caller.authInfo === undefined) return;
  const challenge: ScopeChallengeHandler = ({ request }) => {
    const name = request.method === 'tools/call' ? request.params?.name : undefined;
    const tool = TOOLS.find((each) => each.name === name);
    if (tool === undefined) return undefined;
    const right = rightFor(tool);
    if (caller.rights.has(right) || !oauth.rights.includes(right)) return undefined;
    return {
      scopes: [scopeOf(right, oauth.scopePrefix)],
      errorDescription: `The call needs the right ${right}`,
    };
  };
  // The SDK asks this before it answers, in both eras, for tools that are registered with it; ours are not.
  server.resolveScopeChallenge = challenge;
}
