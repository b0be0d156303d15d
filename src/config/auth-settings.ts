import { boolean, text } from './formats.ts';
import { about } from './setting.ts';
import { bearerToken, namedTokens } from './token-formats.ts';
import { issuerUrl, scopePrefix, webUrl } from './url-formats.ts';

/** Who may call over HTTP; a part of the schema. */
export function authSettings() {
  return {
    httpToken: bearerToken().optional().register(about, {
      name: 'HTTP_TOKEN',
      secret: true,
      group: 'HTTP',
      help: 'Token that clients must send, with the rights read, write and host; 16 characters or more',
      example: 'the output of: openssl rand -hex 32',
      defaultText: 'made and kept in STATE_DIR',
    }),
    httpShowToken: boolean().register(about, {
      name: 'HTTP_SHOW_TOKEN',
      flag: 'http-show-token',
      group: 'HTTP',
      help: 'Show a token that is made, once, on stderr; where that goes to a log: false',
      example: 'false',
      default: 'true',
    }),
    httpTokens: namedTokens().optional().register(about, {
      name: 'HTTP_TOKENS',
      secret: true,
      group: 'HTTP',
      help: 'Several, with names and rights: docs/http-auth.md',
      example: 'alice read,write sha256:…',
    }),
    oauthIssuer: issuerUrl().optional().register(about, {
      name: 'OAUTH_ISSUER',
      flag: 'oauth-issuer',
      placeholder: 'url',
      group: 'HTTP',
      help: 'Issuer of access tokens (JWT) to accept as well',
      example: 'https://id.example.com/realms/home',
    }),
    oauthAudience: text().optional().register(about, {
      name: 'OAUTH_AUDIENCE',
      flag: 'oauth-audience',
      placeholder: 'text',
      group: 'HTTP',
      help: 'Audience of these; normally the URL of /mcp',
      example: 'https://mcp.example.com/mcp',
    }),
    oauthScopePrefix: scopePrefix().register(about, {
      name: 'OAUTH_SCOPE_PREFIX',
      flag: 'oauth-scope-prefix',
      placeholder: 'text',
      group: 'HTTP',
      help: 'Before read, write and host in scopes',
      example: 'pve.',
      default: 'proxmox:',
    }),
    publicUrl: webUrl().optional().register(about, {
      name: 'PUBLIC_URL',
      flag: 'public-url',
      placeholder: 'url',
      group: 'HTTP',
      help: 'URL of /mcp for clients',
      example: 'https://mcp.example.com/mcp',
      defaultText: 'OAUTH_AUDIENCE, if a URL',
    }),
  };
}
