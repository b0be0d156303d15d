import { readFileSync } from 'node:fs';

/** Defined by the build. */
declare const PACKAGE_VERSION: string | undefined;

/** Version of this package. */
export const VERSION: string = typeof PACKAGE_VERSION === 'string' ? PACKAGE_VERSION : readVersion();

/** For running from the sources. */
function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version }: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return version;
}
