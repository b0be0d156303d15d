import { realpathSync } from 'node:fs';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { PACKAGE, type PackageInfo } from '../../../lib/package-info.ts';

/** The command that starts the server. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables that the server needs and that clients do not pass on. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The running program. */
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
 * The command that starts the running program from a client. Node.js has its full path, because desktop programs do not use
 * the PATH of a shell, which version managers extend.
 */
export function launchOf(
  { platform, execPath, execArgv, script }: Running,
  info: PackageInfo = PACKAGE,
): Launch {
  // npx runs programs from its cache, which can be emptied at any time, so the client runs npx too. Only if the package is
  // published: otherwise another package with this name would run.
  if (info.published && /[\\/]_npx[\\/]/.test(script)) {
    const npx = ['-y', info.name];
    return platform === 'win32'
      ? { command: 'cmd', args: ['/c', 'npx', ...npx] }
      : { command: 'npx', args: npx };
  }
  return { command: execPath, args: [...execArgv, script] };
}

/** The command that starts this program from a client. */
export function ownLaunch(at: HostEnvironment): Launch {
  const { execPath, execArgv } = process;
  const script = realpathSync(process.argv[1] ?? '');
  return launchOf({ platform: at.platform, execPath, execArgv, script });
}
