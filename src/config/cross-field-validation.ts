import type { Config } from './settings-schema.ts';
import type { Fault } from './sources.ts';
import { isWebUrl } from './url-formats.ts';

/** Settings of which each is right, but not with the others. */
export function contradictions(config: Config): Fault[] {
  return [...aboutTokens(config)];
}

function* aboutTokens(config: Config): Generator<Fault> {
  const { httpAuth, httpToken, httpTokens, oauthIssuer, oauthAudience, publicUrl } = config;
  if (oauthIssuer !== undefined && oauthAudience === undefined) {
    yield {
      name: 'OAUTH_AUDIENCE',
      problem:
        'OAUTH_ISSUER is set, but OAUTH_AUDIENCE is not: tokens for anything else would be accepted here',
      remedy: 'Set OAUTH_AUDIENCE to what `aud` is in tokens for this server, normally the URL of its /mcp.',
    };
  }
  if (oauthIssuer === undefined && oauthAudience !== undefined) {
    yield {
      name: 'OAUTH_ISSUER',
      problem: 'OAUTH_AUDIENCE is set, but OAUTH_ISSUER is not',
      remedy: 'Set OAUTH_ISSUER to the URL of the issuer of tokens, or leave both out.',
    };
  }
  if (oauthAudience !== undefined && publicUrl === undefined && !isWebUrl(oauthAudience)) {
    yield {
      name: 'PUBLIC_URL',
      problem: 'OAUTH_AUDIENCE is not a URL, so clients cannot be told which server it stands for',
      remedy:
        'Set PUBLIC_URL to the URL of /mcp as clients reach it, for example https://mcp.example.com/mcp.',
    };
  }
  if (!httpAuth && (httpToken !== undefined || httpTokens !== undefined || oauthIssuer !== undefined)) {
    yield {
      name: 'HTTP_AUTH',
      problem:
        'HTTP_AUTH is off (--no-auth), but tokens or an issuer are set, which nobody would be asked for',
      remedy: 'Leave out --no-auth, or HTTP_TOKEN, HTTP_TOKENS and OAUTH_ISSUER.',
    };
  }
}
