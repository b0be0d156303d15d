/*
 * Builds dist/: main.js, the server in one file (loading zod and the SDK from hundreds of files would take longer than
 * everything else), bin.js, which starts it, and main.cache, the code of main.js compiled by V8. Code that most starts do not
 * need is in separate files, so that it does not slow them down: demo.js (simulator and MCP client), init.js (prompts and
 * diffs), http.js, vendor-rules.js (rules for tokens), and some libraries.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');
const { version, dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Libraries in separate files: for policy files and for the command line. */
const LIBRARIES_APART = ['yaml', 'commander'];

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const catalog = await toolCatalog();
// Imported, so that main.js does not get its shebang line.
const main = await bundle('main.js', { contents: "import './src/bin.ts';", resolveDir: root });
const apart = await Promise.all(
  [
    'cli/commands/demo/demo',
    'cli/commands/init/init',
    'cli/commands/http/http',
    'governance/redaction/vendor-rules',
  ].map((file) =>
    bundle(`${path.basename(file)}.js`, { contents: `export * from './src/${file}.ts';`, resolveDir: root }),
  ),
);
const libraries = await Promise.all(
  LIBRARIES_APART.map((name) =>
    bundle(`${name}.js`, { contents: `export * from '${name}';`, resolveDir: root }, []),
  ),
);
const packages = [...new Set([main, ...apart, ...libraries].flat())].sort();
// The sources are ES modules, dist is CommonJS: Node starts it 5 ms faster.
writeFileSync(path.join(dist, 'package.json'), '{ "type": "commonjs" }\n');
copyFileSync(path.join(root, 'scripts/build/bin.cjs'), path.join(dist, 'bin.js'));
chmodSync(path.join(dist, 'bin.js'), 0o755);
writeFileSync(path.join(dist, 'THIRD-PARTY-LICENSES.txt'), licenses(packages));
compile();
for (const name of readdirSync(dist).filter((file) => /\.(js|cache)$/.test(file))) {
  console.log(
    `dist/${name.padEnd(15)} ${String(Math.round(statSync(path.join(dist, name)).size / 1024)).padStart(5)} KiB`,
  );
}

/** Bundles a file. @returns the names of the packages in the bundle */
async function bundle(name, stdin, plugins = [loadedApart()]) {
  const { warnings, metafile } = await build({
    absWorkingDir: root,
    stdin,
    outfile: `dist/${name}`,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // Dependencies in package.json are installed, not bundled: ssh2 has an optional native addon.
    external: [...Object.keys(dependencies), 'cpu-features', '*.node'],
    plugins,
    // The SDK would initialize ajv at every start, to validate elicitation results. Its other validator has a tenth of the size.
    // The default entry of jsonc-parser loads its modules by path at run time, which fails in a bundle.
    alias: {
      '@modelcontextprotocol/server/_shims': './scripts/build/sdk-shims.mjs',
      'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
    },
    // import() of external files becomes require(), because a script from the V8 cache cannot use import().
    supported: { 'dynamic-import': false },
    // Names are not minified, so that stack traces in the log are readable.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    define: {
      PACKAGE_VERSION: JSON.stringify(version),
      REMOTE_SCRIPTS: JSON.stringify(remoteScripts()),
      TOOL_CATALOG: catalog,
    },
    // import.meta is used only by code that `define` makes unreachable.
    logOverride: { 'empty-import-meta': 'silent' },
    metafile: true,
    logLevel: 'warning',
  });
  if (warnings.length > 0) process.exit(1);
  // V8 stores a text of ASCII in half of the memory, and bin.js reads it as such.
  if (/[^\0-\x7f]/.test(readFileSync(path.join(dist, name), 'latin1')))
    throw new Error(`${name} is not ASCII`);
  const names = Object.keys(metafile.inputs).flatMap(
    (input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? [],
  );
  return [...new Set(names)].sort();
}

/** The catalog of all tools as JSON in a string literal; see src/calls/tool-catalog.ts. */
async function toolCatalog() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: {
      contents:
        "export { TOOLS } from './src/tools/index.ts'; export { entryOf } from './src/calls/tool-entry.ts';",
      resolveDir: root,
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    external: Object.keys(dependencies),
    define: { PACKAGE_VERSION: JSON.stringify(version), REMOTE_SCRIPTS: '{}' },
    logLevel: 'error',
  });
  const module = { exports: {} };
  compileFunction(outputFiles[0].text, ['module', 'exports', 'require'])(
    module,
    module.exports,
    createRequire(import.meta.url),
  );
  const { TOOLS, entryOf } = module.exports;
  return JSON.stringify(JSON.stringify(TOOLS.map(entryOf)));
}

/** The scripts in src/remote/scripts by name; see index.ts there. */
function remoteScripts() {
  const folder = path.join(root, 'src/remote/scripts');
  const names = readdirSync(folder).filter((file) => file.endsWith('.sh'));
  return Object.fromEntries(
    names.map((file) => [path.basename(file, '.sh'), readFileSync(path.join(folder, file), 'utf8')]),
  );
}

/** Keeps demo.ts, init.ts, http.ts, vendor-rules.ts and some libraries as separate files. */
function loadedApart() {
  const setup = (builder) => {
    builder.onResolve({ filter: /\/(demo|init|http|vendor-rules)\.ts$/ }, ({ kind, path: file }) =>
      kind === 'dynamic-import' ? { path: `./${path.basename(file, '.ts')}.js`, external: true } : undefined,
    );
    builder.onResolve({ filter: /^[\w-]+$/ }, ({ path: name }) =>
      LIBRARIES_APART.includes(name) ? { path: `./${name}.js`, external: true } : undefined,
    );
  };
  return { name: 'loaded-apart', setup };
}

/** The licenses of the bundled packages, which must be distributed with their code. */
function licenses(names) {
  const texts = names.map((name) => {
    const dir = path.join(root, 'node_modules', name);
    const info = JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8'));
    const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license']
      .map((each) => path.join(dir, each))
      .find(existsSync);
    const text = file === undefined ? `License: ${info.license}\n` : readFileSync(file, 'utf8');
    return `${name} ${info.version}\n${'-'.repeat(40)}\n${text.trim()}\n`;
  });
  return texts.join('\n\n');
}

/** Starts the bundle, lists the tools with both protocol revisions, and stores the code that V8 compiled. */
function compile() {
  const clientInfo = { name: 'build', version };
  const legacy = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const prefix = 'io.modelcontextprotocol/';
  const _meta = {
    [`${prefix}protocolVersion`]: '2026-07-28',
    [`${prefix}clientInfo`]: clientInfo,
    [`${prefix}clientCapabilities`]: {},
  };
  const eras = [
    [
      { id: 1, method: 'server/discover', params: { _meta } },
      { id: 2, method: 'tools/list', params: { _meta } },
    ],
    [
      { id: 1, method: 'initialize', params: legacy },
      { method: 'notifications/initialized' },
      { id: 2, method: 'tools/list' },
    ],
  ];
  for (const messages of eras) {
    const run = spawnSync(process.execPath, [path.join(root, 'scripts/build/compile.cjs'), dist], {
      input: messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join(''),
      cwd: tmpdir(),
      env: { I_ACCEPT_RISKS: 'true', HOST: '192.0.2.1' },
      encoding: 'utf8',
    });
    if (run.status !== 0 || !run.stdout.includes('"tools":['))
      throw new Error(`the bundle does not start: ${run.stderr}`);
  }
}
