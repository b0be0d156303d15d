import {
  ATTRIBUTE_NAMES,
  type ContainerAttributes,
  parseAttributes,
} from '../../../remote/container-attributes.ts';
import { UsageError } from '../../usage-error.ts';

/**
 * A container as `--guest` describes it: `name=web-1,tags=a+b,pool=lab,node=pve1`. What is left out is empty; the name is
 * then the one that Proxmox VE gives to containers without. @throws UsageError
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
            `--guest takes ${FIELDS.map((each) => `${each}=…`).join(',')}; not '${part.slice(0, 60)}'`,
          );
        }
        return [field.trim(), value.join('=').trim()];
      }),
  );
  return parseAttributes(vmid, (name) => fields.get(name));
}

const FIELDS: readonly string[] = ATTRIBUTE_NAMES;

/** The moment that `--at` names; now if it names none. @throws UsageError */
export function parseMoment(text: string | undefined): Date {
  if (text === undefined) return new Date();
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) {
    throw new UsageError(
      `--at is not a moment such as 2026-11-20T23:30 or 2026-11-20T23:30Z: '${text.slice(0, 60)}'`,
    );
  }
  return moment;
}
