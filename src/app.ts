import type { Config } from './config/schema.ts';
import { type ClosableLogger, createLogger, type Logger } from './lib/log.ts';
import { VERSION } from './lib/version.ts';
import { type ClosableChannelSource, Cluster } from './proxmox/cluster.ts';
import type { ClusterHandle } from './proxmox/types.ts';
import type { SshPool } from './ssh/pool.ts';
import type { OpenOptions, RemoteChannel } from './ssh/types.ts';

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

function createCluster(config: Config, logger: Logger): ClusterHandle {
  return new Cluster(new PoolOnDemand(config, logger), {
    sudo: config.sudo,
    execMethod: config.execMethod,
    transferDirs: config.transferDirs,
    maxFileSize: config.maxFileSize,
    logger,
  });
}

/** The pool, made when the first call needs it: until then neither ~/.ssh is read nor the SSH code loaded. */
class PoolOnDemand implements ClosableChannelSource {
  readonly #config: Config;
  readonly #logger: Logger;
  #pool: Promise<SshPool> | undefined;

  constructor(config: Config, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  async open(command: string, options?: OpenOptions): Promise<RemoteChannel> {
    this.#pool ??= this.#create();
    return (await this.#pool).open(command, options);
  }

  async close(): Promise<void> {
    await (await this.#pool)?.close();
  }

  async #create(): Promise<SshPool> {
    const [{ SshPool }, { resolveSshTarget }] = await Promise.all([
      import('./ssh/pool.ts'),
      import('./config/ssh-target.ts'),
    ]);
    const warn = (message: string) => this.#logger.warn(message);
    return new SshPool(resolveSshTarget(this.#config, undefined, warn), { logger: this.#logger });
  }
}
