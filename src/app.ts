import type { ServerDeps } from './calls/call-deps.ts';
import { reservedPathsOf } from './config/reserved-paths.ts';
import { secretsOf } from './config/secrets.ts';
import type { Config } from './config/settings-schema.ts';
import { readStateKey } from './config/state-key.ts';
import { transferDirsOf } from './config/transfer-dirs-setting.ts';
import type { AuditLog } from './governance/audit/audit-types.ts';
import { openAuditLog } from './governance/audit/open-audit-log.ts';
import { LockdownFile } from './governance/lockdown/lockdown.ts';
import { openPolicy } from './governance/policy/open-policy.ts';
import type { Policy } from './governance/policy/policy-types.ts';
import { createRedactor } from './governance/redaction/redact.ts';
import { type ClosableLogger, createLogger, type Logger } from './lib/log.ts';
import { Notices } from './lib/notices.ts';
import type { Redactor } from './lib/redactor.ts';
import { VERSION } from './lib/version.ts';
import type { ClusterHandle } from './proxmox/proxmox-types.ts';
import { TOOLS } from './tools/index.ts';

/** How long connecting to a node may take, in ms, where another node can take its place or is reached through another. */
const CLUSTER_CONNECT_MS = 5_000;

/** Everything that lives as long as the process: what the server, in whichever form, is made from. */
export interface App {
  readonly config: Config;
  /** The part of the configuration that tools depend on. */
  readonly settings: Config;
  transferDirs(): readonly string[];
  cluster(): Promise<ClusterHandle>;
  /** SSH connections that are up. Makes none. */
  sshConnections(): number;
  policy(): Promise<Policy>;
  readonly lockdown: ServerDeps['lockdown'];
  readonly listMayChange: boolean;
  /** What holds up a login, for those who wait for it. */
  readonly notices: Notices;
  audit(): Promise<AuditLog>;
  readonly redactor: Redactor;
  readonly confirmation: ServerDeps['confirmation'];
  readonly logger: ClosableLogger;
  readonly version: string;
  /** See ServerDeps. @throws AppError STATE_UNAVAILABLE */
  stateKey(): Promise<Uint8Array>;
  /** Kills what runs, verifies it, closes the connections; done within `withinMs`. */
  close(withinMs: number): Promise<void>;
}

/** The composition root: the only place that knows how the parts are put together. Connects to nothing yet. */
export function createApp(config: Config): App {
  const redactor = createRedactor({ secrets: () => secretsOf(config), patterns: config.redactForms });
  const logger = createLogger({ level: config.logLevel, redactor });
  const lockdown = new LockdownFile(config.stateDir);
  const notices = new Notices();
  let cluster: Promise<ClusterHandle> | undefined;
  let connected: ClusterHandle | undefined;
  let policy: Promise<Policy> | undefined;
  let audit: Promise<AuditLog> | undefined;
  let stateKey: Promise<Uint8Array> | undefined;
  let confirmation: ReturnType<ServerDeps['confirmation']> | undefined;
  const readKey = () => {
    stateKey ??= readStateKey(config);
    return stateKey;
  };
  return {
    config,
    settings: config,
    transferDirs: () => transferDirsOf(config),
    cluster: () => {
      cluster ??= createCluster(config, logger, redactor, notices).then((made) => {
        connected = made;
        return made;
      });
      // ~/.ssh/config may be right at the next call, and the node may answer.
      cluster.catch(() => {
        cluster = undefined;
      });
      return cluster;
    },
    notices,
    sshConnections: () => connected?.connections ?? 0,
    policy: async () => {
      policy ??= openPolicy(
        config,
        TOOLS.map(({ name }) => name),
        logger,
      );
      const opened = await policy;
      await opened.refresh();
      return opened;
    },
    lockdown: () => lockdown.read(),
    listMayChange: config.policyFile !== undefined,
    audit: () => {
      audit ??= openAuditLog(config, {
        version: VERSION,
        logger,
        redact: (text) => redactor.cleanArgument(text),
      });
      return audit;
    },
    redactor,
    logger,
    version: VERSION,
    stateKey: readKey,
    confirmation: () => {
      confirmation ??= import('./governance/approval/confirmation.ts').then(
        ({ Confirmation }) => new Confirmation(config, readKey),
      );
      return confirmation;
    },
    close: async (withinMs) => {
      (await policy?.catch(() => undefined))?.close();
      await (await cluster?.catch(() => undefined))?.close(withinMs);
      // Last, for the ends of the calls that were cut short.
      await (await audit)?.close();
      await logger.flush();
    },
  };
}

/**
 * The way to the node, made when the first call needs it: a client that only lists the tools does not wait until the code
 * for it is loaded, and ~/.ssh is not read.
 */
async function createCluster(
  config: Config,
  logger: Logger,
  redactor: Redactor,
  notices: Notices,
): Promise<ClusterHandle> {
  const [{ Cluster }, { SshPool }, { RouteChoice }, { resolveSshTargets }] = await Promise.all([
    import('./proxmox/cluster.ts'),
    import('./ssh/pool.ts'),
    import('./ssh/route-choice.ts'),
    import('./config/ssh-target.ts'),
  ]);
  const entries = resolveSshTargets(config, undefined, (message) => logger.warn(message));
  const banner = onBanner(logger, notices);
  return new Cluster({
    entries,
    nodeAddresses: config.nodeAddresses,
    connect: (routes) => {
      const route = new RouteChoice(routes);
      return new SshPool(routes.direct, {
        logger,
        onBanner: banner,
        connect: (options) => route.connect(options),
        ...(entries.length > 1 || routes.forwarded ? { readyTimeoutMs: CLUSTER_CONNECT_MS } : {}),
      });
    },
    sudo: config.sudo,
    transferDirs: transferDirsOf(config),
    reserved: reservedPathsOf(config, entries),
    maxFileSize: config.maxFileSize,
    logger,
    redactor,
  });
}

/** Reports a message of the SSH server that delays the login to the waiting callers and in the log. */
function onBanner(logger: Logger, notices: Notices): (text: string | null) => void {
  return (text) => {
    if (text !== null) logger.warn(text);
    notices.show(text);
  };
}
