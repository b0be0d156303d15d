import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Defined by the build, which also sets `__dirname` to the directory of the bundle. */
declare const PACKAGE_VERSION: string | undefined;

/** The directory of this package, which contains dist/ or src/. */
export function programDir(): string {
  if (typeof PACKAGE_VERSION === 'string') return path.dirname(__dirname);
  return path.resolve(fileURLToPath(new URL('../..', import.meta.url)));
}
