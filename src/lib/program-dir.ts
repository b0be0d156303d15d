import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Put in place by the build, which also makes `__dirname` the folder of the bundle. */
declare const PACKAGE_VERSION: string | undefined;

/** The folder of this package: that above dist/ or src/. */
export function programDir(): string {
  if (typeof PACKAGE_VERSION === 'string') return path.dirname(__dirname);
  return path.resolve(fileURLToPath(new URL('../..', import.meta.url)));
}
