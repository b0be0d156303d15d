import * as z from 'zod/v4';
import { TOOLSETS } from '../lib/toolsets.ts';
import { connectionSettings } from './connection-settings.ts';
import { boolean, choice, choices, integer, reject } from './formats.ts';
import { governanceSettings } from './governance-settings.ts';
import { currentEnvironment, type HostEnvironment } from './host-environment.ts';
import { httpSettings } from './http-settings.ts';
import { type Setting, settingsMetadata } from './setting.ts';
import { directoryList } from './transfer-dirs-setting.ts';
import { duration, size } from './unit-formats.ts';

/**
 * The schema of all settings. `.env.example`, the tables in README and docs, `--help` and the options are generated from it, so a
 * setting is added only here.
 */
export function configSchema(at: HostEnvironment) {
  return z.object({
    acceptRisks: consent().register(settingsMetadata, {
      name: 'I_ACCEPT_RISKS',
      flag: 'i-accept-risks',
      group: 'Consent',
      tier: 'basic',
      help: 'Set to true to confirm that you let an assistant act as root in your containers',
      example: 'true',
      default: 'false',
      defaultText: '',
    }),
    ...connectionSettings(at),
    sudo: boolean().optional().register(settingsMetadata, {
      name: 'SUDO',
      flag: 'sudo',
      group: 'Commands',
      tier: 'common',
      help: 'Run privileged commands with `sudo -n`, for an SSH user other than root',
      example: 'true',
      defaultText: 'detected at connect',
    }),
    execMethod: choice(['auto', 'lxc-attach', 'pct']).register(settingsMetadata, {
      name: 'EXEC_METHOD',
      flag: 'exec-method',
      placeholder: 'method',
      group: 'Commands',
      help: 'Ignored: commands always enter containers by lxc-attach',
      example: 'pct',
      default: 'auto',
    }),
    enableHostExec: boolean().register(settingsMetadata, {
      name: 'ENABLE_HOST_EXEC',
      flag: 'enable-host-exec',
      group: 'Commands',
      tier: 'basic',
      help: 'Allow commands and file transfers on the Proxmox node itself',
      example: 'true',
      default: 'false',
    }),
    characterLimit: integer(100, 10_000_000).register(settingsMetadata, {
      name: 'CHARACTER_LIMIT',
      flag: 'character-limit',
      placeholder: 'n',
      group: 'Commands',
      tier: 'common',
      help: 'Maximum output per command, in characters',
      example: '50000',
      default: '25000',
    }),
    waitLimit: duration(5, 300).optional().register(settingsMetadata, {
      name: 'WAIT_LIMIT',
      flag: 'wait-limit',
      placeholder: 'time',
      group: 'Commands',
      tier: 'common',
      help: 'Answer after this time at most; a command with a longer timeout runs as a job',
      example: '45s',
      defaultText: 'calls wait for the end',
    }),
    jobOutputLimit: size(65_536, 2 ** 40).register(settingsMetadata, {
      name: 'JOB_OUTPUT_LIMIT',
      flag: 'job-output-limit',
      placeholder: 'size',
      group: 'Commands',
      help: 'Maximum output of a job that is kept on the node, such as 256M',
      example: '256M',
      default: '64M',
    }),
    maxFileSize: size(1, 2 ** 50).register(settingsMetadata, {
      name: 'MAX_FILE_SIZE',
      flag: 'max-file-size',
      placeholder: 'size',
      group: 'Files',
      tier: 'common',
      help: 'Maximum size of a transferred file, such as 100M',
      example: '100M',
      default: '10M',
    }),
    transferDirs: directoryList(at).optional().register(settingsMetadata, {
      name: 'TRANSFER_DIRS',
      flag: 'transfer-dirs',
      placeholder: 'dirs',
      group: 'Files',
      tier: 'basic',
      help: 'Local directories that transfers may use, separated as in PATH',
      example: '~/proxmox-files',
      defaultText: '~/proxmox-mcp',
    }),
    readOnly: boolean().register(settingsMetadata, {
      name: 'READ_ONLY',
      restricts: true,
      flag: 'read-only',
      group: 'Server',
      tier: 'basic',
      help: 'Only list and inspect: no commands, no changes; file contents only by policy rule',
      example: 'true',
      default: 'false',
    }),
    toolsets: choices(TOOLSETS).register(settingsMetadata, {
      name: 'TOOLSETS',
      restricts: true,
      flag: 'toolsets',
      placeholder: 'names',
      group: 'Server',
      tier: 'common',
      help: 'Groups of tools that clients see: core, inspect, fleet, files, jobs',
      example: 'core,inspect',
      default: TOOLSETS.join(','),
    }),
    logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).register(
      settingsMetadata,
      {
        name: 'LOG_LEVEL',
        flag: 'log-level',
        placeholder: 'level',
        group: 'Server',
        tier: 'common',
        help: 'Log level on stderr: trace, debug, info, warn, error, fatal or silent',
        example: 'debug',
        default: 'info',
      },
    ),
    ...httpSettings(at),
    ...governanceSettings(at),
  });
}

/** The loaded settings. */
export type Config = Readonly<z.output<ReturnType<typeof configSchema>>> & {
  /** Absolute paths of the configuration file and of the secret files that were read. */
  readonly filesRead: readonly string[];
};

export type LogLevel = Config['logLevel'];

/** All settings in the order of the documentation. */
export function listSettings(schema = configSchema(currentEnvironment())): readonly Setting[] {
  return Object.entries(schema.shape).map(([property, format]) => {
    const info = settingsMetadata.get(format);
    if (info === undefined) throw new TypeError(`setting ${property} is not described`);
    return { ...info, property };
  });
}

function consent() {
  return boolean().transform((accepted, ctx) =>
    accepted
      ? accepted
      : reject(
          ctx,
          'is not true',
          'Read the warning ("Read this first" in the README), then set I_ACCEPT_RISKS=true where you set PROXMOX_HOST, or pass --i-accept-risks.',
        ),
  );
}
