/*
 * Leaves out of the bundle what the SDK makes at every start and we never use: a schema for each type of the protocol, by name,
 * for users of its `specTypeSchemas` and `isSpecType`, and those of OAuth. Each costs time although it is only made: all
 * together a seventh of the start.
 */
import { readFileSync } from 'node:fs';

/** What registers the schemas by name, and thereby uses them all. */
const REGISTERING = [
  'for (const key of SPEC_SCHEMA_KEYS) register(key, schemas_exports[key]);',
  'for (const [key, schema] of Object.entries(authSchemas)) register(key, schema);',
];
const REGISTRIES = /const (specTypeSchemas|isSpecType) = Object\.freeze\(\w+\);/g;

/** Calls that only make a schema: where nobody uses it, the bundler may drop them. */
const MAKING = /(?<![\w.$])(z\.[a-zA-Z]+\(|[A-Za-z]+Schema\.[a-z]+\()/g;

export function trimSdk() {
  let registries = 0;
  const setup = (builder) => {
    builder.onLoad({ filter: /@modelcontextprotocol.(core|server).dist.[^/\\]*\.mjs$/ }, ({ path }) => {
      let text = readFileSync(path, 'utf8');
      if (REGISTERING.every((line) => text.includes(line))) {
        registries += 1;
        for (const line of REGISTERING) text = text.replace(line, '');
        text = text.replaceAll(REGISTRIES, (_, name) => `const ${name} = ${leftOut(name)};`);
      }
      if (/[\\/](schemas|auth)-[^/\\]*\.mjs$/.test(path))
        text = text.replaceAll(MAKING, '/* @__PURE__ */ $1');
      return { contents: text, loader: 'js' };
    });
    builder.onEnd(() => {
      // Nothing would be wrong but the time that a start takes, so nobody would notice.
      if (registries !== 1)
        return { errors: [{ text: 'trim-sdk.mjs does not know this release of the SDK' }] };
    });
  };
  return { name: 'trim-sdk', setup };
}

/** Whoever comes to use it is told. */
function leftOut(name) {
  return `new Proxy({}, { get() { throw new Error('${name} is not in the bundle, see scripts/build/trim-sdk.mjs'); } })`;
}
