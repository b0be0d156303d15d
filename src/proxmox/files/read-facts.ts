import type { FileFacts } from '../proxmox-types.ts';
import type { TransferSession } from '../transfer/transfer-session.ts';

/** Reads `ready SIZE MODE UID:GID LINKS USER GROUP …` and the path. @param rest receives further fields */
export async function readFacts(
  session: TransferSession,
  rest: (fields: readonly string[]) => void = () => {},
): Promise<FileFacts> {
  const [size, mode, own, links, user, group, ...more] = await session.expect('ready');
  const [uid, gid] = (own ?? '').split(':');
  const facts = {
    size: session.number(size, Number.MAX_SAFE_INTEGER),
    mode: session.matching(mode, /^[0-7]{1,4}$/, 'a mode'),
    uid: session.number(uid, Number.MAX_SAFE_INTEGER),
    gid: session.number(gid, Number.MAX_SAFE_INTEGER),
    owner: nameOr(user, uid),
    group: nameOr(group, gid),
    links: session.number(links, Number.MAX_SAFE_INTEGER),
  };
  rest(more);
  return { ...facts, path: await session.path() };
}

/** The name of a user or group, or its number where it has none. */
function nameOr(name: string | undefined, id: string | undefined): string {
  const known = name !== undefined && /^[^\s:]{1,64}$/.test(name) && name !== '-' && name !== 'UNKNOWN';
  return known ? name : (id ?? '');
}
