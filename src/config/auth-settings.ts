import { text } from './formats.ts';
import { settingsMetadata } from './setting.ts';
import { bearerToken, namedTokens } from './token-formats.ts';
import { issuerUrl, scopePrefix, webUrl } from './url-formats.ts';

/** The HTTP settings for tokens and OAuth. */
export function authSettings() {
  return {
    httpToken: bearerToken().optional().register(settingsMetadata, {
      name: 'HTTP_TOKEN',
      secret: true,
      group: 'HTTP',
      tier: 'common',
      help: 'Bearer token with the scopes read, write and host, 16 or more characters',
      example: 'the output of: openssl rand -hex 32',
      defaultText: 'generated, stored in STATE_DIR',
    }),
    httpTokens: namedTokens().optional().register(settingsMetadata, {
      name: 'HTTP_TOKENS',
      secret: true,
      group: 'HTTP',
      tier: 'common',
      help: 'Named tokens with scopes (docs/http.md)',
      example: 'alice read,write sha256:…',
    }),
    oauthIssuer: issuerUrl().optional().register(settingsMetadata, {
      name: 'OAUTH_ISSUER',
      flag: 'oauth-issuer',
      placeholder: 'url',
      group: 'HTTP',
      tier: 'common',
      help: 'OAuth issuer whose JWT access tokens are accepted',
      example: 'https://id.example.com/realms/home',
    }),
    oauthAudience: text().optional().register(settingsMetadata, {
      name: 'OAUTH_AUDIENCE',
      flag: 'oauth-audience',
      placeholder: 'text',
      group: 'HTTP',
      tier: 'common',
      help: 'Expected audience, usually the /mcp URL',
      example: 'https://mcp.example.com/mcp',
    }),
    oauthScopePrefix: scopePrefix().register(settingsMetadata, {
      name: 'OAUTH_SCOPE_PREFIX',
      flag: 'oauth-scope-prefix',
      placeholder: 'text',
      group: 'HTTP',
      help: 'Prefix of the scopes read, write and host',
      example: 'pve.',
      default: 'proxmox:',
    }),
    publicUrl: webUrl().optional().register(settingsMetadata, {
      name: 'PUBLIC_URL',
      flag: 'public-url',
      placeholder: 'url',
      group: 'HTTP',
      help: 'Public URL of /mcp',
      example: 'https://mcp.example.com/mcp',
      defaultText: 'OAUTH_AUDIENCE if it is a URL',
    }),
  };
}
