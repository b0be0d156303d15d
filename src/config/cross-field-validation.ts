import type { Config } from './settings-schema.ts';
import type { ConfigError } from './sources.ts';
import { isWebUrl } from './url-formats.ts';

/** The errors of settings that are valid alone, but not together. */
export function crossFieldErrors(config: Config): ConfigError[] {
  return [...tokenErrors(config)];
}

function* tokenErrors(config: Config): Generator<ConfigError> {
  const { httpAuth, httpToken, httpTokens, oauthIssuer, oauthAudience, publicUrl } = config;
  if (oauthIssuer !== undefined && oauthAudience === undefined) {
    yield {
      name: 'OAUTH_AUDIENCE',
      problem: 'OAUTH_ISSUER is set, but OAUTH_AUDIENCE is not: tokens for other services would be accepted',
      remedy: 'Set OAUTH_AUDIENCE to the value of `aud` in tokens for this server, usually the URL of /mcp.',
    };
  }
  if (oauthIssuer === undefined && oauthAudience !== undefined) {
    yield {
      name: 'OAUTH_ISSUER',
      problem: 'OAUTH_AUDIENCE is set, but OAUTH_ISSUER is not',
      remedy: 'Set OAUTH_ISSUER to the URL of the token issuer, or remove OAUTH_AUDIENCE.',
    };
  }
  if (oauthAudience !== undefined && publicUrl === undefined && !isWebUrl(oauthAudience)) {
    yield {
      name: 'PUBLIC_URL',
      problem:
        'OAUTH_AUDIENCE is not a URL, and PUBLIC_URL is not set, so clients cannot be given the URL of this server',
      remedy: 'Set PUBLIC_URL to the URL of /mcp that clients use, for example https://mcp.example.com/mcp.',
    };
  }
  if (!httpAuth && (httpToken !== undefined || httpTokens !== undefined || oauthIssuer !== undefined)) {
    yield {
      name: 'HTTP_AUTH',
      problem: 'HTTP_AUTH is off (--no-auth), so the tokens or the issuer that are set would not be checked',
      remedy: 'Remove --no-auth, or remove HTTP_TOKEN, HTTP_TOKENS and OAUTH_ISSUER.',
    };
  }
}
