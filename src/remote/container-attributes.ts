/**
 * One attribute of a container.
 * @template T what is known of it
 * @template F the field of `match` in a policy rule
 */
export interface ContainerAttribute<T, F extends string = string> {
  readonly field: F;
  /** How questions and explanations label it. */
  readonly label: string;
  /** What a rule on it selects, for the schema of policy files. */
  readonly description: string;
  /** Upper and lower case are the same. */
  readonly ignoreCase: boolean;
  /** The texts that patterns are compared with. */
  values(value: T): readonly string[];
  /**
   * The text that precondition.sh compares under the name of the attribute; null where the path of the container's
   * configuration tells it.
   */
  condition(value: T): string | null;
  /**
   * Reads a container that a person describes (`policy explain --guest`).
   * @param text undefined: not described
   */
  parse(text: string | undefined, vmid: number): T;
}

function attribute<T, const F extends string>(entry: ContainerAttribute<T, F>): ContainerAttribute<T, F> {
  return entry;
}

/**
 * The attributes of a container that policy rules match on, that questions name, and that a precondition compares on the node.
 * A new attribute is one entry here; types, schema, matching, questions and `policy explain` follow from it.
 */
const TABLE = {
  name: attribute({
    field: 'name',
    label: 'Name',
    description: 'Containers by host name, in any case',
    ignoreCase: true,
    values: (name: string) => [name],
    condition: (name) => name,
    parse: (text, vmid) => text ?? `CT${vmid}`,
  }),
  node: attribute({
    field: 'node',
    label: 'Node',
    description: 'Containers on a node',
    ignoreCase: true,
    values: (node: string) => [node],
    condition: () => null,
    parse: (text) => text ?? '',
  }),
  pool: attribute({
    field: 'pool',
    label: 'Pool',
    description: 'Containers in a resource pool',
    ignoreCase: false,
    values: (pool: string | null) => (pool === null ? [] : [pool]),
    condition: (pool) => pool ?? '',
    parse: (text) => text ?? null,
  }),
  tags: attribute({
    field: 'tag',
    label: 'Tags',
    description: 'Containers that have one of these tags, in any case',
    ignoreCase: true,
    values: (tags: readonly string[]) => tags,
    condition: (tags) => tags.join(' '),
    parse: (text) => text?.split(/[+;]/).filter((tag) => tag !== '') ?? [],
  }),
} as const;

type Table = typeof TABLE;
export type AttributeName = keyof Table;
export type AttributeField = Table[AttributeName]['field'];
type Shapes = {
  readonly [K in AttributeName]: Table[K] extends ContainerAttribute<infer T> ? T : never;
};

/** What is known of a container when a call is decided. */
export type ContainerAttributes = { readonly vmid: number } & Shapes;

/** The table, by the name that an attribute has in `ContainerAttributes`. */
export const CONTAINER_ATTRIBUTES: {
  readonly [K in AttributeName]: ContainerAttribute<Shapes[K], Table[K]['field']>;
} = TABLE;

export const ATTRIBUTE_NAMES: readonly AttributeName[] = Object.keys(TABLE).filter(isAttributeName);

export function isAttributeName(name: string): name is AttributeName {
  return Object.hasOwn(TABLE, name);
}

/** The texts of one attribute. */
export function valuesOf<K extends AttributeName>(
  attributes: ContainerAttributes,
  name: K,
): readonly string[] {
  const entry: ContainerAttribute<Shapes[K]> = CONTAINER_ATTRIBUTES[name];
  return entry.values(attributes[name]);
}

/** The text that precondition.sh compares; null for none. */
export function conditionOf<K extends AttributeName>(
  attributes: ContainerAttributes,
  name: K,
): string | null {
  const entry: ContainerAttribute<Shapes[K]> = CONTAINER_ATTRIBUTES[name];
  return entry.condition(attributes[name]);
}

/** The attributes alone, in the order of the table, without what else is known of a container. */
export function attributesOf(container: ContainerAttributes): ContainerAttributes {
  return collect(container.vmid, (name) => container[name]);
}

/** A container as a person describes it; what is not described has the value that Proxmox VE gives to it. */
export function parseAttributes(
  vmid: number,
  textOf: (name: AttributeName) => string | undefined,
): ContainerAttributes {
  const parse = <K extends AttributeName>(name: K): Shapes[K] => {
    const entry: ContainerAttribute<Shapes[K]> = CONTAINER_ATTRIBUTES[name];
    return entry.parse(textOf(name), vmid);
  };
  return collect(vmid, parse);
}

function collect(vmid: number, read: (name: AttributeName) => unknown): ContainerAttributes {
  const collected = { vmid, ...Object.fromEntries(ATTRIBUTE_NAMES.map((name) => [name, read(name)])) };
  if (!isComplete(collected)) throw new TypeError('the table of attributes is incomplete');
  return collected;
}

function isComplete(value: { readonly vmid: number }): value is ContainerAttributes {
  return ATTRIBUTE_NAMES.every((name) => Object.hasOwn(value, name));
}
