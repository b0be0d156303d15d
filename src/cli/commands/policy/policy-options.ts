import {
  ATTRIBUTE_NAMES,
  type ContainerAttributes,
  parseAttributes,
} from '../../../remote/container-attributes.ts';
import { UsageError } from '../../usage-error.ts';

/**
 * The container attributes in `--guest`: `name=web-1,tags=a+b,pool=lab,node=pve1`. Missing ones are empty; a missing name is the
 * default of Proxmox VE for containers without one. @throws UsageError
 */
export function parseGuest(text: string, vmid: number): ContainerAttributes {
  const fields = new Map(
    text
      .split(',')
      .filter((part) => part.trim() !== '')
      .map((part): readonly [string, string] => {
        const [field = '', ...value] = part.split('=');
        if (!FIELDS.includes(field.trim()) || value.length === 0) {
          throw new UsageError(
            `--guest needs ${FIELDS.map((each) => `${each}=…`).join(',')}; not '${part.slice(0, 60)}'`,
          );
        }
        return [field.trim(), value.join('=').trim()];
      }),
  );
  return parseAttributes(vmid, (name) => fields.get(name));
}

const FIELDS: readonly string[] = ATTRIBUTE_NAMES;

/** The time in `--at`; now if it is absent. @throws UsageError */
export function parseMoment(text: string | undefined): Date {
  if (text === undefined) return new Date();
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) {
    throw new UsageError(
      `--at needs a time such as 2026-11-20T23:30 or 2026-11-20T23:30Z, not '${text.slice(0, 60)}'`,
    );
  }
  return moment;
}
