import path from 'node:path';
import {
  type Lockdown,
  LockdownFile,
  lockdownText,
  NODE_LOCKDOWN_FILES,
} from '../../../governance/lockdown/lockdown-file.ts';
import { AppError, messageOf, nextStep } from '../../../lib/errors.ts';
import { localTime } from '../../../lib/local-time.ts';
import { quoteAll } from '../../../lib/quote.ts';
import { visible } from '../../../lib/visible.ts';
import type { Request } from '../../command.ts';
import { openApp } from '../../open-app.ts';
import { print, printError } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';
import { reportUsageError, UsageError } from '../../usage-error.ts';

/** The host name when PROXMOX_HOST is not set. Nothing connects to it. */
const NO_NODE = 'node.invalid';
const NODE_LIMIT_MS = 15_000;

/** `proxmox-mcp lockdown [--for 30m] | --off`: writes the lockdown file of this machine and the one of the cluster. */
export async function lockdown({ input, options }: Request): Promise<void> {
  try {
    const off = options.off === 'true';
    if (off && options.for !== undefined) throw new UsageError('--for and --off exclude each other');
    const wanted = off ? undefined : { until: endOf(options.for, Date.now()) };
    const fallbacks = { host: NO_NODE, acceptRisks: 'true', logLevel: 'warn' };
    const config = settingsFor({ ...input, fallbacks });
    if (config === undefined) return;
    // This machine first: that works even if the node cannot be reached.
    const file = new LockdownFile(config.stateDir);
    await (wanted === undefined ? file.lift() : file.write(wanted));
    if (wanted !== undefined) {
      const lift = wanted.until === null ? ' Lift the lockdown with `proxmox-mcp lockdown --off`.' : '';
      await print(`Every call that changes something is refused.${lift}\n`);
    }
    await print(`This machine: ${doneText(wanted)} (${config.stateDir})\n`);
    if (config.host === NO_NODE) {
      await print(
        `Cluster: not changed, because PROXMOX_HOST is not set. Servers on other machines are not affected.\n`,
      );
      return;
    }
    const app = await openApp(config);
    if (app === undefined) return;
    const problem = await writeOnNode(app, wanted);
    await app.close(0);
    if (problem === undefined) await print(`Cluster: ${doneText(wanted)} (${NODE_LOCKDOWN_FILES.cluster})\n`);
    else {
      await printError(
        `Cluster: ${NODE_LOCKDOWN_FILES.cluster} was not changed: ${problem}\nServers on other machines are not affected. /etc/pve cannot be written without quorum.\n`,
      );
      process.exitCode = 1;
    }
  } catch (error) {
    await reportUsageError(error, 'lockdown');
  }
}

type Node = NonNullable<Awaited<ReturnType<typeof openApp>>>;

/** @returns why the file on the node was not changed */
async function writeOnNode(app: Node, wanted: Lockdown | undefined): Promise<string | undefined> {
  const { cluster, node: copy } = NODE_LOCKDOWN_FILES;
  const command =
    wanted === undefined
      ? quoteAll(['rm', '-f', copy, cluster])
      : `mkdir -p ${quoteAll([path.posix.dirname(copy)])} && ${write(lockdownText(wanted), copy)} && ${write(lockdownText(wanted), cluster)}`;
  try {
    const node = (await app.cluster()).host(null);
    const signal = AbortSignal.timeout(NODE_LIMIT_MS);
    const result = await node.exec(command, { timeoutMs: NODE_LIMIT_MS, signal, characterLimit: 2000 });
    if (result.ended === 'exit' && result.exitCode === 0) return undefined;
    return visible(result.stderr.text.trim()) || `the command on the node exited with ${result.exitCode}`;
  } catch (error) {
    return error instanceof AppError ? `${error.message} ${nextStep(error, 'person')}` : messageOf(error);
  }
}

function write(text: string, file: string): string {
  return `${quoteAll(['echo', text])} >${quoteAll([file])}`;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The end of a lockdown of this duration; null: until `--off`. @throws UsageError */
function endOf(text: string | undefined, now: number): number | null {
  if (text === undefined) return null;
  const [, amount, unit = ''] = /^(\d{1,5})([smhd])$/.exec(text) ?? [];
  const seconds = Number(amount) * (UNITS[unit] ?? 0);
  if (!(seconds > 0))
    throw new UsageError(`--for needs a duration such as 30m, 2h or 1d, not '${text.slice(0, 40)}'`);
  return now + seconds * 1000;
}

function doneText(lockdown: Lockdown | undefined): string {
  if (lockdown === undefined) return 'the lockdown has ended';
  const { until } = lockdown;
  return until === null ? 'locked down' : `locked down until ${localTime(new Date(until))}`;
}
