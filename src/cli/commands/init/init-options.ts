import { realpathSync } from 'node:fs';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { absolutePath } from '../../../config/host-environment.ts';
import type { Fault } from '../../../config/sources.ts';
import { nearest } from '../../../lib/suggest.ts';
import type { Request } from '../../commands.ts';
import { CLIENT_IDS, type ClientId, type Launch, launchOf } from './clients.ts';
import { LEVELS, type Level } from './values.ts';

/** The options of `init`, understood. */
export interface InitOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly level: Level | undefined;
  /** undefined: not said. */
  readonly clients: readonly ClientId[] | undefined;
  readonly createKey: boolean;
  readonly fingerprints: readonly string[];
  readonly dir: string;
}

/** Reads the options; `fault` hears what is wrong with them. */
export function readOptions(
  { options }: Request,
  at: HostEnvironment,
  fault: (fault: Fault) => void,
): InitOptions {
  const list = (name: string) =>
    options[name]
      ?.split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
  return {
    yes: options.yes === 'true',
    dryRun: options['dry-run'] === 'true',
    level: options.level === undefined ? undefined : choose('--level', options.level, LEVELS, fault),
    clients: list('client')
      ?.filter((word) => word !== 'none')
      .flatMap((word) => {
        if (word === 'all') return [...CLIENT_IDS];
        return choose('--client', word, CLIENT_IDS, fault) ?? [];
      }),
    createKey: options['create-key'] === 'true',
    fingerprints: list('fingerprint') ?? [],
    dir: absolutePath(at, options.dir ?? '.'),
  };
}

function choose<T extends string>(
  name: string,
  word: string,
  among: readonly T[],
  fault: (fault: Fault) => void,
): T | undefined {
  const found = among.find((each) => each === word);
  if (found !== undefined) return found;
  const meant = nearest(word, among);
  fault({
    name,
    problem: `${name} ${word.slice(0, 40)} is not known${meant === undefined ? '' : ` (did you mean ${meant}?)`}`,
    remedy: `It takes ${among.join(', ')}.`,
  });
  return undefined;
}

/** How clients will start this very program. */
export function ownLaunch(at: HostEnvironment): Launch {
  const { execPath, execArgv } = process;
  const script = realpathSync(process.argv[1] ?? '');
  return launchOf({ platform: at.platform, execPath, execArgv, script });
}
