import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const BUILT = join(root, 'dist/bin.js');

/**
 * Builds the server if a source is newer than the build. Tests use the build because it is what users install, and because it
 * starts ten times as fast as the sources.
 * @throws Error with the output of the build
 */
export function builtServer(): string {
  const built = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (newestSource() < built) return BUILT;
  const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`the build failed:\n${build.stdout}${build.stderr}`);
  return BUILT;
}

function newestSource(): number {
  const sources = ['src', 'scripts/build'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const all = [...sources, 'scripts/build.mjs', 'package.json', 'package-lock.json'];
  return Math.max(...all.map((file) => statSync(join(root, file)).mtimeMs));
}
