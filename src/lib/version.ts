import { readFileSync } from 'node:fs';

/** Defined by the build. */
declare const PACKAGE_VERSION: string | undefined;

/** The version of this package. */
export const VERSION: string = typeof PACKAGE_VERSION === 'string' ? PACKAGE_VERSION : readVersion();

/** The version when running from the sources. */
function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version }: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return version;
}
