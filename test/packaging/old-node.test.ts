import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';

const bin = fileURLToPath(new URL('../../scripts/build/bin.cjs', import.meta.url));
const packageFile = fileURLToPath(new URL('../../package.json', import.meta.url));

/** Starts the program as a Node.js of that version would. */
function startedBy(version: string) {
  const shim = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`;
  return spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(shim)}`, bin, '--version'],
    { encoding: 'utf8' },
  );
}

describe('the launcher file', () => {
  test.each(['0.10.48', '4.9.1', '14.21.3', '16.20.2', '18.20.4', '19.9.0'])(
    'reports in one sentence that Node.js %s is too old',
    (version) => {
      const { status, stdout, stderr } = startedBy(version);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(/^proxmox-mcp needs Node\.js 20 or later[^\n]*\.\n$/);
      expect(stderr).toContain(`Node.js ${version} at ${process.execPath}`);
    },
  );

  test('continues with a supported version', () => {
    // The sources have no main.js next to it: the program has tried to load it.
    for (const version of ['20.0.0', '22.1.0', '100.0.0'])
      expect(startedBy(version).stderr).toContain('main.js');
  });

  test('requires the version of package.json', () => {
    const { engines } = z
      .object({ engines: z.object({ node: z.string() }) })
      .parse(JSON.parse(readFileSync(packageFile, 'utf8')));
    expect(startedBy('1.0.0').stderr).toContain(`Node.js ${engines.node.replace('>=', '')} or later`);
  });

  test('parses as ECMAScript 5, without new module names', () => {
    const source = readFileSync(bin, 'utf8');
    expect(() => parse(source, { ecmaVersion: 5, allowHashBang: true })).not.toThrow();
    expect(source).not.toContain("'node:");
  });
});
