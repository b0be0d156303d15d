import type { Config } from './config/schema.ts';
import { AppError } from './lib/errors.ts';
import { type ClosableLogger, createLogger, type Logger } from './lib/log.ts';
import { VERSION } from './lib/version.ts';
import type { ClusterHandle } from './proxmox/types.ts';

/** Everything that lives as long as the process: what the server, in whichever form, is made from. */
export interface App {
  readonly config: Config;
  /** The part of the configuration that tools depend on. */
  readonly settings: Config;
  readonly cluster: ClusterHandle;
  readonly logger: ClosableLogger;
  readonly version: string;
  /** Kills what runs, verifies it, closes the connections; done within `withinMs`. */
  close(withinMs: number): Promise<void>;
}

/** The composition root: the only place that knows how the parts are put together. Connects to nothing yet. */
export function createApp(config: Config): App {
  const logger = createLogger({
    level: config.logLevel,
    secrets: [config.sshPassword, config.sshKeyPassphrase],
  });
  const cluster = createCluster(config, logger);
  return {
    config,
    settings: config,
    cluster,
    logger,
    version: VERSION,
    close: async (withinMs) => {
      await cluster.close(withinMs);
      await logger.flush();
    },
  };
}

function createCluster(config: Config, _logger: Logger): ClusterHandle {
  const unreachable = (): never => {
    throw new AppError(
      'SSH_UNREACHABLE',
      `There is no way to ${config.host} in this build.`,
      'Use a later version.',
    );
  };
  return { list: unreachable, container: unreachable, host: unreachable, close: async () => {} };
}
