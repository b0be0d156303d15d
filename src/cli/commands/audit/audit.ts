import { reasonOf } from '../../../governance/audit/failures.ts';
import { auditDirOf } from '../../../governance/audit/open-audit-log.ts';
import type { Request } from '../../command.ts';
import { ignoreEpipe, printMessage } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';
import { reportUsageError, UsageError } from '../../usage-error.ts';
import { claimOf, numberOf, parseFilter } from './audit-options.ts';
import type { Showing } from './audit-show.ts';

/** Default numbers of calls for `show` and `tail`. */
const SHOWN = 50;
const TAILED = 10;

/** `proxmox-mcp audit …`: verifies or prints the audit log. Does not connect to the node. */
export async function audit({ input, args, options }: Request): Promise<void> {
  const [action, surplus] = args;
  try {
    if (surplus !== undefined) throw new UsageError(`unexpected argument: '${surplus.slice(0, 60)}'`);
    if (action !== 'verify' && action !== 'show' && action !== 'tail') {
      throw new UsageError(
        `audit needs verify, show or tail${action === undefined ? '' : `, not '${action.slice(0, 60)}'`}`,
      );
    }
    if (options.accept === 'true' && action !== 'verify')
      throw new UsageError('--accept is an option of audit verify');
    if ((options.call ?? options.arguments) !== undefined && action !== 'verify')
      throw new UsageError('--call and --arguments are options of audit verify');
    const filter = parseFilter(options, new Date());
    const last = numberOf('last', options.last);
    const config = settingsFor({ ...input, fallbacks: { host: 'unused', acceptRisks: 'true' } });
    if (config === undefined) return;
    ignoreEpipe();
    const json = options.json === 'true';
    if (action === 'verify') {
      const { verify } = await import('./audit-verify.ts');
      const claim = await claimOf(options.call, options.arguments);
      return await verify(config, { json, accept: options.accept === 'true', claim });
    }
    const { show, tail } = await import('./audit-show.ts');
    const period = filter.since !== undefined || filter.until !== undefined;
    const usual = action === 'tail' ? TAILED : period ? undefined : SHOWN;
    const wide = options.wide === 'true';
    const showing: Showing = { dir: auditDirOf(config), filter, last: last ?? usual, json, wide };
    await (action === 'show' ? show(showing) : tail(showing)).catch((error) => {
      process.exitCode = 1;
      return printMessage(`the audit log in ${showing.dir} cannot be read: ${reasonOf(error)}`);
    });
  } catch (error) {
    await reportUsageError(error, 'audit');
  }
}
