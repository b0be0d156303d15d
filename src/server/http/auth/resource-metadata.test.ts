import { expect, test } from 'vitest';
import { wellKnownOf } from './issuer.ts';
import { ResourceMetadata } from './resource-metadata.ts';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

test.each([
  ['https://mcp.example.com/mcp', `https://mcp.example.com${WELL_KNOWN}/mcp`],
  ['https://example.com/pve/mcp', `https://example.com${WELL_KNOWN}/pve/mcp`],
  ['https://mcp.example.com', `https://mcp.example.com${WELL_KNOWN}`],
  ['https://mcp.example.com:8443/mcp/', `https://mcp.example.com:8443${WELL_KNOWN}/mcp`],
])('publishes the metadata of %s at %s, whatever the path behind a proxy', (resource, url) => {
  const metadata = new ResourceMetadata(resource, 'https://id.example.com', ['proxmox:read']);
  expect(metadata.url).toBe(url);
  for (const asked of [url, `http://127.0.0.1:8000${WELL_KNOWN}`, `http://127.0.0.1:8000${WELL_KNOWN}/mcp`]) {
    expect(metadata.respond(new Request(asked))?.status).toBe(200);
  }
  expect(metadata.respond(new Request('http://127.0.0.1:8000/mcp'))).toBeUndefined();
  expect(metadata.respond(new Request(`${url}x`))).toBeUndefined();
});

test.each([
  [
    'https://id.example.com',
    [
      'https://id.example.com/.well-known/oauth-authorization-server',
      'https://id.example.com/.well-known/openid-configuration',
    ],
  ],
  [
    'https://id.example.com/realms/home/',
    [
      'https://id.example.com/.well-known/oauth-authorization-server/realms/home',
      'https://id.example.com/.well-known/openid-configuration/realms/home',
      'https://id.example.com/realms/home/.well-known/openid-configuration',
    ],
  ],
])('requests the metadata of the issuer %s', (issuer, urls) => {
  expect(wellKnownOf(issuer)).toEqual(urls);
});
