import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const BUILT = join(root, 'dist/bin.js');

/**
 * The built server, made anew when a source is newer than it: what is tested is what is installed, and each of the
 * hundreds of servers that the tests start is up in a tenth of the time that the sources take.
 * @throws Error with what the build said
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
