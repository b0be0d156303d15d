import type { ServerDeps } from './calls/call-deps.ts';
import { secretsOf } from './config/secrets.ts';
import type { Config } from './config/settings-schema.ts';
import { readStateKey } from './config/state-key.ts';
import { transferDirsOf } from './config/transfer-dirs-setting.ts';
import type { AuditLog } from './governance/audit/audit-types.ts';
import { logJobEnd } from './governance/audit/log-job-end.ts';
import { openAuditLog } from './governance/audit/open-audit-log.ts';
import { LockdownFile } from './governance/lockdown/lockdown-file.ts';
import { nodeRefusal } from './governance/node-refusals.ts';
import { openPolicy } from './governance/policy/open-policy.ts';
import type { Policy } from './governance/policy/policy-types.ts';
import { createRedactor } from './governance/redaction/redact.ts';
import { type ClosableLogger, createLogger, type Logger } from './lib/log.ts';
import { Notices } from './lib/notices.ts';
import type { Redactor } from './lib/redactor.ts';
import { VERSION } from './lib/version.ts';
import { codeOfJob } from './proxmox/jobs/job-code.ts';
import type { Job } from './proxmox/jobs/job-types.ts';
import type { ClusterHandle } from './proxmox/proxmox-types.ts';

/** Limit of the time to connect to a node, in ms, if another node can replace it or can forward the connection. */
const CLUSTER_CONNECT_MS = 5_000;

/** The parts that exist once per process, shared by the servers over stdio and HTTP and by the commands. */
export interface App {
  readonly config: Config;
  /** The part of the configuration that tools use. */
  readonly settings: Config;
  transferDirs(): readonly string[];
  cluster(): Promise<ClusterHandle>;
  /** Number of open SSH connections. Opens none. */
  sshConnections(): number;
  policy(): Promise<Policy>;
  readonly lockdown: ServerDeps['lockdown'];
  readonly listMayChange: boolean;
  /** Messages for calls that wait for a login. */
  readonly notices: Notices;
  audit(): Promise<AuditLog>;
  readonly redactor: Redactor;
  readonly confirmation: ServerDeps['confirmation'];
  readonly logger: ClosableLogger;
  readonly version: string;
  /** See ServerDeps. @throws AppError STATE_UNAVAILABLE */
  stateKey(): Promise<Uint8Array>;
  /** Kills running commands, verifies that, and closes the connections, within `withinMs`. */
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
  const readAudit = () => {
    audit ??= openAuditLog(config, {
      version: VERSION,
      logger,
      redact: (text) => redactor.cleanArgument(text),
    });
    return audit;
  };
  const onJobEnd = async (job: Job) => logJobEnd(await readAudit(), job, codeOfJob(job) ?? 'ok');
  return {
    config,
    settings: config,
    transferDirs: () => transferDirsOf(config),
    cluster: () => {
      cluster ??= createCluster(config, logger, redactor, notices, onJobEnd).then((made) => {
        connected = made;
        return made;
      });
      // Retried at the next call: ~/.ssh/config may have been corrected, and the node may answer.
      cluster.catch(() => {
        cluster = undefined;
      });
      return cluster;
    },
    notices,
    sshConnections: () => connected?.connections ?? 0,
    policy: async () => {
      policy ??= openPolicy(config, toolNames, logger);
      const opened = await policy;
      await opened.refresh();
      return opened;
    },
    lockdown: () => lockdown.read(),
    listMayChange: config.policyFile !== undefined,
    audit: readAudit,
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
      // Last, because the aborted calls still log their end.
      await (await audit)?.close();
      await logger.flush();
    },
  };
}

async function toolNames(): Promise<string[]> {
  const { TOOLS } = await import('./tools/index.ts');
  return TOOLS.map(({ name }) => name);
}

/** Creates the cluster for the first call that needs it: to list the tools, its code is not loaded and ~/.ssh is not read. */
async function createCluster(
  config: Config,
  logger: Logger,
  redactor: Redactor,
  notices: Notices,
  onJobEnd: (job: Job) => Promise<void>,
): Promise<ClusterHandle> {
  const [{ Cluster }, { SshPool }, { RouteChoice }, { resolveSshTargets }, { reservedPathsOf }] =
    await Promise.all([
      import('./proxmox/cluster.ts'),
      import('./ssh/pool.ts'),
      import('./ssh/route-choice.ts'),
      import('./config/ssh-target.ts'),
      import('./config/reserved-paths.ts'),
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
    refusal: nodeRefusal,
    onJobEnd,
  });
}

/** Reports a message of the SSH server that delays the login to the waiting callers and in the log. */
function onBanner(logger: Logger, notices: Notices): (text: string | null) => void {
  return (text) => {
    if (text !== null) logger.warn(text);
    notices.show(text);
  };
}
