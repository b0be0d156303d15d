import type { Request } from '../../command.ts';
import { print } from '../../output/output.ts';
import { reportUsageError, UsageError } from '../../usage-error.ts';

/** `proxmox-mcp policy …`: checks, explains and prints policy rules. Runs no tools. */
export async function policy(request: Request): Promise<void> {
  const [action, ...args] = request.args;
  try {
    switch (action) {
      case 'check':
        return await (await import('./policy-check.ts')).check({ ...request, args });
      case 'explain':
        return await (await import('./policy-explain.ts')).explain({ ...request, args });
      case 'show':
        return await (await import('./policy-show.ts')).show({ ...request, args });
      case 'schema': {
        const { policyJsonSchema } = await import('../../../governance/policy/policy-schema.ts');
        return await print(`${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
      }
      case undefined:
        throw new UsageError('policy needs check, explain, show or schema');
      default:
        throw new UsageError(`policy needs check, explain, show or schema, not '${action.slice(0, 60)}'`);
    }
  } catch (error) {
    await reportUsageError(error, 'policy');
  }
}
