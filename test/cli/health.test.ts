import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { healthUrl } from '../../src/cli/commands/health/health.ts';
import { runCli } from './run.ts';

const cwd = tmpdir();

/** A server at the address where ours should be. */
async function something(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return String(typeof address === 'object' && address ? address.port : 0);
}

const HEALTHY = JSON.stringify({ status: 'healthy', service: 'proxmox-mcp-server', ssh_connected: false });

test('exits with 0 for a healthy server, and needs no setting but the port', async () => {
  const port = await something((request, response) => {
    response.writeHead(request.url === '/health' ? 200 : 404).end(HEALTHY);
  });
  expect(await runCli(['health'], { cwd, env: { SERVER_PORT: port } })).toEqual({
    code: 0,
    stdout: `healthy: http://127.0.0.1:${port}/health\n`,
    stderr: '',
  });
  expect((await runCli(['health', '--port', port, '--host', '0.0.0.0'], { cwd })).code).toBe(0);
});

test('requests readiness with --ready, and exits with 1 for a 503', async () => {
  const port = await something((request, response) => {
    response.writeHead(request.url === '/health?ready' ? 503 : 200).end(HEALTHY);
  });
  const { code, stdout, stderr } = await runCli(['health', '--ready'], { cwd, env: { SERVER_PORT: port } });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('returned 503');
});

test('rejects the response of another service', async () => {
  const port = await something((_request, response) => response.end('\u001B[2Jhello'));
  const { code, stderr } = await runCli(['health'], { cwd, env: { SERVER_PORT: port } });
  expect(code).toBe(1);
  expect(stderr).toContain('hello');
  expect(stderr).not.toContain('\u001B');
});

test('exits with 1 without a server and with invalid settings, as Docker requires', async () => {
  const gone = await runCli(['health', '--port', '1'], { cwd });
  expect({ code: gone.code, stdout: gone.stdout }).toEqual({ code: 1, stdout: '' });
  expect(gone.stderr).toContain('does not respond');
  expect((await runCli(['health'], { cwd, env: { SERVER_PORT: 'http' } })).code).toBe(1);
});

test.each([
  [{ serverHost: '127.0.0.1', serverPort: 8000 }, 'http://127.0.0.1:8000/health'],
  [{ serverHost: '0.0.0.0', serverPort: 9000 }, 'http://127.0.0.1:9000/health'],
  [{ serverHost: '::', serverPort: 9000 }, 'http://[::1]:9000/health'],
  [{ serverHost: 'fd00::5', serverPort: 9000 }, 'http://[fd00::5]:9000/health'],
  [{ serverHost: '10.0.0.5', serverPort: 443, httpTlsCert: '/c.pem' }, 'https://10.0.0.5:443/health'],
])('checks %o at %s', (config, url) => {
  expect(healthUrl({ httpTlsCert: undefined, ...config })).toBe(url);
});
