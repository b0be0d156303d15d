import { expect, test } from 'vitest';
import { loadConfig } from './load.ts';

const OAUTH = { OAUTH_ISSUER: 'https://id.example.com', OAUTH_AUDIENCE: 'https://mcp.example.com/mcp' };
const TOKEN = 'correct-horse-battery-staple-0123456789';

function problemsOf(env: Record<string, string>): Record<string, string> {
  const all = { I_ACCEPT_RISKS: 'true', HOST: '192.0.2.10', ...env };
  const at = { platform: process.platform, env: all, home: '/nowhere', cwd: '/nowhere', username: 'me' };
  const loaded = loadConfig({}, at);
  if (loaded.ok) return {};
  for (const { remedy } of loaded.errors) expect(remedy).toMatch(/^[A-Z].*\.$/);
  return Object.fromEntries(loaded.errors.map(({ name, problem }) => [name, problem]));
}

test.each([
  [{ ...OAUTH, HTTP_TOKEN: TOKEN, HTTP_TOKENS: `alice read ${TOKEN.toUpperCase()}` }],
  [{ ...OAUTH, OAUTH_AUDIENCE: 'api://proxmox', PUBLIC_URL: 'https://mcp.example.com/mcp' }],
  [{ OAUTH_ISSUER: 'http://127.0.0.1:9000/realms/home', OAUTH_AUDIENCE: 'http://127.0.0.1:8000/mcp' }],
  [{ HTTP_AUTH: 'false' }],
])('accepts %j', (env) => {
  expect(problemsOf(env)).toEqual({});
});

test.each([
  [{ OAUTH_ISSUER: OAUTH.OAUTH_ISSUER }, 'OAUTH_AUDIENCE', 'OAUTH_AUDIENCE is not'],
  [{ OAUTH_AUDIENCE: OAUTH.OAUTH_AUDIENCE }, 'OAUTH_ISSUER', 'OAUTH_ISSUER is not'],
  [{ ...OAUTH, OAUTH_AUDIENCE: 'api://proxmox' }, 'PUBLIC_URL', 'is not a URL'],
  [{ HTTP_AUTH: 'false', HTTP_TOKEN: TOKEN }, 'HTTP_AUTH', 'would not be checked'],
  [{ HTTP_AUTH: 'false', ...OAUTH }, 'HTTP_AUTH', 'would not be checked'],
  [{ ...OAUTH, OAUTH_ISSUER: 'http://id.example.com' }, 'OAUTH_ISSUER', 'is not https'],
  [{ ...OAUTH, OAUTH_ISSUER: 'id.example.com' }, 'OAUTH_ISSUER', 'is not an http or https URL'],
  [{ ...OAUTH, OAUTH_ISSUER: 'https://id.example.com/?a=b' }, 'OAUTH_ISSUER', 'has a query or a fragment'],
  [
    { ...OAUTH, PUBLIC_URL: 'https://me:pass@mcp.example.com' },
    'PUBLIC_URL',
    'contains a user name or password',
  ],
  [{ OAUTH_SCOPE_PREFIX: 'a b' }, 'OAUTH_SCOPE_PREFIX', 'not allowed in a scope'],
  [{ HTTP_TOKEN: 'changeme' }, 'HTTP_TOKEN', 'shorter than 16 characters'],
])('rejects %j: %s %s', (env, name, problem) => {
  expect(problemsOf(env)).toEqual({ [name]: expect.stringContaining(problem) });
});
