import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The imports that each part of src/ may have. They go one way, lib ← ssh ← remote ← proxmox ← tools ← calls ← server ← cli, so
 * that a part can be read, tested and replaced without the parts to its right. Imports within a folder are always allowed.
 * `folder/file.ts` allows one file, `type folder` only `import type`.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  ssh: ['lib'],
  // Runs a script on a node or in a container. Independent of Proxmox and of the policy.
  remote: ['lib', 'ssh'],
  proxmox: ['lib', 'ssh', 'remote'],
  tools: ['lib', 'type ssh', 'type remote', 'proxmox'],
  // Policy, approvals, audit log and redaction. Independent of `calls`.
  governance: ['lib', 'type tools', 'type proxmox', 'type remote', 'remote/container-attributes.ts'],
  // One tool call, stage by stage.
  calls: ['lib', 'type ssh', 'type remote', 'type proxmox', 'tools', 'governance', 'type config'],
  server: ['lib', 'type ssh', 'type proxmox', 'tools', 'governance', 'calls', 'type config'],
  cli: [
    'lib',
    'config',
    'type ssh',
    'type remote',
    'remote/container-attributes.ts',
    'type proxmox',
    'server',
    'calls',
    'tools',
    'governance',
    'app.ts',
  ],

  // Settings are converted to an SshTarget and to the name of a policy.
  config: ['lib', 'ssh/ssh-types.ts', 'governance/policy/policy-types.ts'],
  // Shares no code, and so no bug, with the server.
  simulator: ['lib'],

  // Composition root.
  'app.ts': ['lib', 'config', 'ssh', 'remote', 'proxmox', 'tools', 'type server', 'type calls', 'governance'],
  'bin.ts': ['cli'],

  // The only user of the simulator besides tests.
  'cli/commands/demo/demo.ts': ['lib', 'config', 'server', 'tools', 'app.ts', 'cli', 'simulator'],
  // Checks the lower layers directly, without tools.
  'cli/commands/doctor': ['lib', 'config', 'ssh', 'remote', 'proxmox', 'governance', 'cli'],
  // Tests the set-up with doctor, and configures clients.
  'cli/commands/init': ['lib', 'config', 'ssh', 'remote', 'proxmox', 'governance', 'server', 'tools', 'cli'],
};

const STATEMENT =
  /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

/**
 * Lists the imports in `src` that the table does not allow, one line each. Tests in `src` may import everything in `src`, but
 * nothing in `test`: a test that needs a server or a node belongs in `test`.
 */
export function findViolations(src: string): string[] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'));
  return files.sort().flatMap((file) => {
    if (file.endsWith('.test.ts')) return importsFromTest(src, file);
    const part = partOf(file);
    const allowed = MAY_IMPORT[file] ?? MAY_IMPORT[path.posix.dirname(file)] ?? MAY_IMPORT[part];
    if (allowed === undefined)
      return [`src/${file}: ${part} is not in the table of scripts/check-imports.ts`];
    return importsOf(path.join(src, file)).flatMap(({ specifier, typeOnly, line }) => {
      if (!specifier.startsWith('.')) return [];
      const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
      if (isAllowed(target, typeOnly, part, allowed)) return [];
      const permitted = allowed.length === 0 ? 'nothing else' : allowed.join(', ');
      return [`src/${file}:${line} imports ${target}; ${part} may import: ${permitted}`];
    });
  });
}

/** An index.ts lists what is in its folder. A cluster is both what the server manages and what the simulator simulates. */
const COMMON_NAMES: readonly string[] = ['index.ts', 'cluster.ts'];

/** Lists the files in `src` that have the name of another file there, one line each. Tests are named after their subject. */
export function findCommonNames(src: string): string[] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const first = new Map<string, string>();
  return files.sort().flatMap((file) => {
    const name = path.posix.basename(file);
    const other = first.get(name);
    first.set(name, other ?? file);
    if (other === undefined || COMMON_NAMES.includes(name)) return [];
    return [`src/${file} has the same name as src/${other}`];
  });
}

/** What a test below `src` imports from `test`, as lines to print. */
function importsFromTest(src: string, file: string): string[] {
  return importsOf(path.join(src, file)).flatMap(({ specifier, line }) => {
    const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
    if (!specifier.startsWith('.') || !target.startsWith('../test/')) return [];
    return [`src/${file}:${line} imports ${target.slice(3)}; a test that needs it belongs below test/`];
  });
}

function isAllowed(target: string, typeOnly: boolean, part: string, allowed: readonly string[]): boolean {
  const into = partOf(target);
  if (target.startsWith('../')) return false;
  if (into === part) return true;
  return allowed.some(
    (entry) => entry === into || entry === target || (typeOnly && entry === `type ${into}`),
  );
}

/** `ssh` for ssh/pool.ts, `app.ts` for app.ts. */
function partOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function importsOf(file: string) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(STATEMENT)].map((match) => ({
    specifier: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
    line: text.slice(0, match.index).split('\n').length + (/^\n/.test(match[0]) ? 1 : 0),
  }));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const src = fileURLToPath(new URL('../src', import.meta.url));
  const violations = [...findViolations(src), ...findCommonNames(src)];
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exitCode = 1;
  else console.log('imports point one way, and file names are unique');
}
