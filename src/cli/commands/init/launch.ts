import { realpathSync } from 'node:fs';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { PACKAGE, type PackageInfo } from '../../../lib/package-info.ts';

/** How a server is started. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables that the server needs and that clients do not pass on. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The program that is running now. */
export interface Running {
  readonly platform: NodeJS.Platform;
  /** Absolute path of the running Node.js. */
  readonly execPath: string;
  /** Options of Node.js itself. */
  readonly execArgv: readonly string[];
  /** Absolute path of the running program, links resolved. */
  readonly script: string;
}

/**
 * How a client starts what is running now. Node.js by its full path: what desktop programs start does not see the
 * PATH of a shell, where version managers put it.
 */
export function launchOf(
  { platform, execPath, execArgv, script }: Running,
  info: PackageInfo = PACKAGE,
): Launch {
  // npx runs programs from its cache, which may be emptied at any time. A name that nobody has published is never run.
  if (info.published && /[\\/]_npx[\\/]/.test(script)) {
    const npx = ['-y', info.name];
    return platform === 'win32'
      ? { command: 'cmd', args: ['/c', 'npx', ...npx] }
      : { command: 'npx', args: npx };
  }
  return { command: execPath, args: [...execArgv, script] };
}

/** How clients start this very program. */
export function ownLaunch(at: HostEnvironment): Launch {
  const { execPath, execArgv } = process;
  const script = realpathSync(process.argv[1] ?? '');
  return launchOf({ platform: at.platform, execPath, execArgv, script });
}
