import type { ClusterHandle } from '../proxmox/types.ts';
import type { ToolSettings } from '../tools/tool.ts';

/** The part of a pino logger that is used here. Its output goes to stderr: stdout is the protocol's. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What all connections share. A server object is built on top of it for each one. */
export interface ServerDeps {
  readonly cluster: ClusterHandle;
  readonly settings: ToolSettings;
  readonly logger: Logger;
  readonly version: string;
}
