import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { KEY, lackOf, noTerminal, Terminal } from '../cli/terminal.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const INSPECTOR = '@modelcontextprotocol/inspector@2.12.0';

/** It installs packages twice: only in the full check, or on request. */
const reason =
  noTerminal ??
  lackOf('git') ??
  (existsSync(path.join(root, '.git')) ? null : 'this is no clone') ??
  (process.env.CI || process.env.SETUP ? null : 'takes a minute and the network; SETUP=1 runs it');

/** The line of the README. */
const INSTALL = /<!-- generated:install -->\s*```sh\n(.*)\n```/.exec(
  readFileSync(path.join(root, 'README.md'), 'utf8'),
)?.[1];

describe.skipIf(reason !== null)(
  `from a clone to an answered call${reason === null ? '' : ` (skipped: ${reason})`}`,
  () => {
    let dir = '';
    let sim: Simulator;
    let env: Record<string, string> = {};
    const at = (...names: readonly string[]) => path.join(dir, ...names);

    /** Runs the official inspector. @returns the result of the request */
    async function inspect(args: readonly string[], home: string) {
      const program = at('inspector', 'node_modules', '.bin', 'mcp-inspector');
      const { stdout } = await execute(program, ['--cli', ...args], {
        cwd: home,
        env: { ...env, HOME: home },
      });
      return JSON.parse(stdout);
    }

    beforeAll(async () => {
      dir = await mkdtemp(path.join(tmpdir(), 'from-clone-'));
      sim = await Simulator.start({});
      // A new user of this machine: a key, one client, an empty prefix for global packages.
      await mkdir(at('home', '.ssh'), { recursive: true });
      await mkdir(at('home', '.config', 'Claude'), { recursive: true });
      await copyFile(sim.node().connection.keyPath, at('home', '.ssh', 'id_ed25519'));
      await chmod(at('home', '.ssh', 'id_ed25519'), 0o600);
      await writeFile(at('home', '.ssh', 'id_ed25519.pub'), '');
      const { PATH = '' } = process.env;
      // The proxy and registry settings of the machine.
      const network = Object.entries(process.env).flatMap(([name, value]) =>
        /^npm_config_|_proxy$|^NODE_EXTRA_CA_CERTS$/i.test(name) && value !== undefined
          ? [[name, value] as const]
          : [],
      );
      env = {
        npm_config_cache: path.join(homedir(), '.npm'),
        npm_config_userconfig: path.join(homedir(), '.npmrc'),
        ...Object.fromEntries(network),
        PATH: `${at('prefix', 'bin')}:${PATH}`,
        HOME: at('home'),
        npm_config_prefix: at('prefix'),
      };
      await execute('git', ['clone', '--quiet', root, at('clone')]);
    });
    afterAll(async () => {
      await sim.stop();
      await rm(dir, { recursive: true, force: true });
    });

    test('takes two commands and five answers', async () => {
      await execute('sh', ['-c', INSTALL ?? 'false'], { cwd: at('clone'), env, maxBuffer: 50_000_000 });
      const program = at('prefix', 'bin', 'proxmox-mcp');
      const { host, port, user } = sim.node().connection;
      // The rest does not need the clone.
      await rm(at('clone'), { recursive: true });

      const terminal = new Terminal(['init'], { cwd: at('home'), env }, program);
      await terminal.answer('Do you accept these risks?', 'y');
      await terminal.answer('[user@]host[:port]', `${user}@${host}:${port}${KEY.enter}`);
      await terminal.answer('Does the fingerprint match?', 'y');
      await terminal.answer('How do you log in as', KEY.enter);
      await terminal.answer('What may the assistant do?', KEY.enter);
      await terminal.answer('Which clients should I set up?', KEY.enter);
      await terminal.answer('Approval passphrase', KEY.ctrlC);
      await terminal.shows('Self-test passed');
      await terminal.shows('Restart Claude Desktop');
      expect(await terminal.ended()).toBe(0);

      await execute('npm', ['install', '--prefix', at('inspector'), '--no-audit', '--no-fund', INSPECTOR], {
        cwd: at('home'),
        // npm passes on the settings of this repository; the inspector declares a newer Node.js than it needs.
        env: { ...env, npm_config_engine_strict: 'false' },
      });
      const config = at('home', '.config', 'Claude', 'claude_desktop_config.json');
      const { structuredContent } = await inspect(
        [
          '--config',
          config,
          '--server',
          'proxmox',
          '--method',
          'tools/call',
          '--tool-name',
          'proxmox_list_containers',
        ],
        at('home'),
      );
      expect(structuredContent.containers.map(({ vmid }: { vmid: number }) => vmid)).toContain(101);
    }, 600_000);

    test('has tools without problems for the official inspector in strict mode', async () => {
      const settings = ['-e', 'I_ACCEPT_RISKS=true', '-e', 'HOST=192.0.2.10'];
      const { tools } = await inspect(
        [...settings, at('prefix', 'bin', 'proxmox-mcp'), '--method', 'tools/list', '--strict'],
        // There is no configuration.
        at('inspector'),
      );
      expect(tools.map(({ name }: { name: string }) => name)).toEqual(TOOLS.map(({ name }) => name));
    });

    test('can run the demo', async () => {
      const { stdout } = await execute(at('prefix', 'bin', 'proxmox-mcp'), ['demo'], {
        cwd: at('home'),
        env,
      });
      expect(stdout).toContain('Done in');
    });

    test('is removed by --undo except for the audit log', async () => {
      await execute(at('prefix', 'bin', 'proxmox-mcp'), ['init', '--undo'], { cwd: at('home'), env });
      expect(existsSync(at('home', '.config', 'proxmox-mcp'))).toBe(false);
      expect(existsSync(at('home', '.config', 'Claude', 'claude_desktop_config.json'))).toBe(false);
      expect(existsSync(at('home', 'proxmox-mcp'))).toBe(false);
    });
  },
);
