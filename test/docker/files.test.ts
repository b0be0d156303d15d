import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { listSettings } from '../../src/config/settings-schema.ts';
import { composeFile } from './compose.ts';
import { copyContext, isIgnored, readRules } from './context.ts';
import { readDockerfile } from './dockerfile.ts';
import { dockerEnvFile } from './image.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string): string => readFileSync(path.join(project, name), 'utf8');

/** The port in the notation of Compose. */
const PORT = ['$', '{SERVER_PORT:-8000}'].join('');

/** The settings, and those that must never be in a file of this repository. */
const settings = listSettings();
const secrets = new Set(settings.flatMap(({ name, secret }) => (secret === true ? [name] : [])));
const known = new Set([
  ...settings.map(({ name }) => name),
  ...[...secrets].map((name) => `${name}_FILE`),
  // Variables of the system.
  ...['NODE_ENV', 'HOME', 'XDG_CONFIG_HOME'],
]);

function expectSettings(env: Readonly<Record<string, string>>): void {
  expect(Object.keys(env).filter((name) => !known.has(name))).toEqual([]);
  for (const [name, value] of Object.entries(env)) if (secrets.has(name)) expect(value, name).toBe('');
}

const stages = readDockerfile(read('Dockerfile'));
const image = stages.at(-1);
const compose = ['docker-compose.yml', 'portainer-stack.yml'].map(
  (name) => [name, composeFile.parse(parse(read(name)))] as const,
);

test('all stages use the same supported Node.js image', () => {
  expect([...new Set(stages.map(({ base }) => base))]).toEqual(['node:22-alpine']);
});

test('the image runs as a normal user, serves HTTP on all addresses, checks its health and declares its volumes', () => {
  expect(image).toMatchObject({
    user: '1000:1000',
    ports: ['8000'],
    entrypoint: ['node', '/app/dist/bin.js'],
    cmd: ['serve', '--http', '--host', '0.0.0.0'],
    healthcheck: ['node', '/app/dist/bin.js', 'health', '--host', '0.0.0.0'],
    volumes: ['/state', '/files'],
  });
  expectSettings(image?.env ?? {});
  for (const name of ['HOME', 'XDG_CONFIG_HOME', 'STATE_DIR']) expect(image?.env[name]).toMatch(/^\/state/);
  expect(image?.env.TRANSFER_DIRS).toBe('/files');
});

test('the Dockerfile copies files by name, and .dockerignore excludes none of them', () => {
  const rules = readRules(path.join(project, '.dockerignore'));
  const sources = stages.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === 'copy' && step.from === undefined ? step.sources : [])),
  );
  expect(sources).not.toContain('.');
  for (const source of sources) expect(isIgnored(source, rules), source).toBe(false);
});

test('.dockerignore keeps secrets and build output from the builder', () => {
  const from = mkdtempSync(path.join(tmpdir(), 'context-'));
  onTestFinished(() => rmSync(from, { recursive: true, force: true }));
  const decoys = [
    '.env',
    '.env.local',
    'secrets/ssh_key',
    '.git/config',
    'node_modules/x/index.js',
    'dist/old.js',
  ];
  const wanted = ['package.json', 'src/bin.ts', 'scripts/build/bin.cjs'];
  for (const name of [...decoys, ...wanted, 'src/x.test.ts', 'stack.env', '.npmrc.mine']) {
    mkdirSync(path.dirname(path.join(from, name)), { recursive: true });
    writeFileSync(path.join(from, name), '');
  }
  writeFileSync(path.join(from, '.dockerignore'), read('.dockerignore'));
  const to = path.join(from, '..', `${path.basename(from)}-sent`);
  onTestFinished(() => rmSync(to, { recursive: true, force: true }));
  copyContext(from, to);
  const sent = readdirSync(to, { recursive: true, encoding: 'utf8' });
  expect(sent.sort()).toEqual([
    'package.json',
    'scripts',
    'scripts/build',
    'scripts/build/bin.cjs',
    'src',
    'src/bin.ts',
  ]);
});

test.each(compose)('%s publishes on loopback only, is read-only and has no capabilities', (_name, file) => {
  const service = file.services['proxmox-mcp'];
  expect(service).toMatchObject({
    image: 'proxmox-mcp-server',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    ports: [`127.0.0.1:${PORT}:${PORT}`],
  });
  expect(service?.environment.SERVER_PORT).toBe(PORT);
  const mounted = service?.volumes.map((volume) => volume.split(':')[1]);
  expect(mounted).toEqual(image?.volumes);
  expect(Object.keys(file.volumes)).toEqual(service?.volumes.map((volume) => volume.split(':')[0]));
});

test.each(compose)('%s contains known settings only, and no secret', (_name, file) => {
  for (const { environment } of Object.values(file.services)) expectSettings(environment);
});

test('docker-compose.yml passes secrets as files that the settings name', () => {
  const [, file] = compose[0] ?? [];
  const service = file?.services['proxmox-mcp'];
  expect(Object.keys(file?.secrets ?? {})).toEqual(service?.secrets);
  expect(service?.environment).toMatchObject({
    SSH_KEY: '/run/secrets/ssh_key',
    HTTP_TOKEN_FILE: '/run/secrets/http_token',
  });
  const ignored = read('.gitignore').split('\n');
  for (const { file: secret } of Object.values(file?.secrets ?? {})) {
    expect(ignored).toContain(`/${secret.split('/')[1]}/`);
  }
});

test('stack.env contains settings only, and no secret', () => {
  const env = dockerEnvFile(read('stack.env'));
  expectSettings(env);
  expect(env).toMatchObject({ I_ACCEPT_RISKS: '', PROXMOX_HOST: '' });
});
