import type { Cluster } from '../../../proxmox/cluster.ts';
import type { RouteChoice } from '../../../ssh/route-choice.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { type Finding, failed } from './check.ts';
import { connectOnce } from './session-check.ts';

/** Whether each other node of the cluster can be used with the login of the entry node, and by which route. */
export async function checkNodes(
  cluster: Cluster,
  routes: ReadonlyMap<string, RouteChoice>,
  signal: AbortSignal,
): Promise<Finding<true>> {
  const { entry, others } = await cluster.probeNodes(signal);
  const unusable = others.filter(({ error }) => error !== null);
  const usable = others
    .filter(({ error }) => error === null)
    .map(({ node }) => `${node} ${routes.get(node)?.forwards === true ? `through ${entry}` : 'directly'}`);
  if (others.length === 0) return { verdict: 'ok', detail: 'none but this one', value: true };
  const [first] = unusable.flatMap(({ error }) => error ?? []);
  if (first === undefined) return { verdict: 'ok', detail: usable.join(', '), value: true };
  const { remedy, code } = failed(first);
  const details = [...usable, ...unusable.map(({ error }) => error?.message ?? '')];
  return {
    verdict: 'warn',
    detail: `${details.join('; ')} Calls for containers of ${unusable.map(({ node }) => node).join(', ')} fail.`,
    ...(remedy === undefined ? {} : { remedy }),
    ...(code === undefined ? {} : { code }),
  };
}

/** Whether the further addresses in PROXMOX_HOST could replace the first one. */
export async function checkStandby(
  standby: readonly SshTarget[],
  signal: AbortSignal,
): Promise<Finding<true>> {
  const results = await Promise.all(
    standby.map(async (target) => {
      try {
        const channels = await connectOnce(target, { hostKeys: [], logins: [] }, signal);
        await channels.close();
        return undefined;
      } catch (error) {
        return failed(error);
      }
    }),
  );
  const [first] = results.filter((result) => result !== undefined);
  if (first !== undefined) return { ...first, verdict: 'warn' };
  return { verdict: 'ok', detail: standby.map(({ host }) => host).join(', '), value: true };
}
