import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { Addresses } from '../proxmox-types.ts';
import type { LifecycleCall } from './lifecycle-call.ts';

/** DHCP takes a second or two. The script waits 0.2 s between its reads. */
const READS = 15;
const LIMIT_MS = 8_000;

/**
 * The addresses of a running container, as the kernel of the node reports them.
 * @param wait whether to wait up to 3 s for those that its configuration promises
 * @returns null if they cannot be read
 */
export async function readAddresses(
  { shell, vmid, signal }: Pick<LifecycleCall, 'shell' | 'vmid' | 'signal'>,
  wait: boolean,
): Promise<Addresses | null> {
  try {
    const args = [String(vmid), wait ? String(READS) : '0'];
    const { items, sections } = await shell.script(SCRIPTS.addresses, args, { timeoutMs: LIMIT_MS, signal });
    if (!items.some(([key]) => key === 'end')) return null;
    // Loaded at the first use, because few calls need it.
    const { parseTables } = await import('../inspect/network-facts.ts');
    const { facts } = parseTables(sections.get('net') ?? '', '', new Map());
    const expected = items.find(([key]) => key === 'expected')?.[1];
    return { found: facts.addresses, isExpected: expected !== '0' };
  } catch {
    // The container runs. A lost connection is reported by the next call.
    return null;
  }
}
