/**
 * One attribute of a container.
 * @template T its type
 * @template F the field of `match` in a policy rule
 */
export interface ContainerAttribute<T, F extends string = string> {
  readonly field: F;
  /** Its label in approval questions and explanations. */
  readonly label: string;
  /** Description for the schema of policy files. */
  readonly description: string;
  /** Whether patterns ignore case. */
  readonly ignoreCase: boolean;
  /** The values that patterns are compared with. */
  values(value: T): readonly string[];
  /**
   * The text that precondition.sh compares for the attribute; null if the path of the container's configuration already
   * determines it.
   */
  condition(value: T): string | null;
  /** Whether the comparison reads a file that no other one needs, so that it is skipped unless a decision depends on it. */
  readonly ownFile: boolean;
  /**
   * Parses the attribute of a container that a person describes (`policy explain --guest`).
   * @param text undefined: not given
   */
  parse(text: string | undefined, vmid: number): T;
}

function attribute<T, const F extends string>(entry: ContainerAttribute<T, F>): ContainerAttribute<T, F> {
  return entry;
}

/**
 * The attributes of a container that policy rules match, approval questions show, and preconditions compare on the node. A new
 * attribute needs only an entry here: types, schema, matching, questions and `policy explain` are derived from it.
 */
const TABLE = {
  name: attribute({
    field: 'name',
    label: 'Name',
    description: 'Containers by host name, in any case',
    ignoreCase: true,
    values: (name: string) => [name],
    condition: (name) => name,
    ownFile: false,
    parse: (text, vmid) => text ?? `CT${vmid}`,
  }),
  node: attribute({
    field: 'node',
    label: 'Node',
    description: 'Containers on a node',
    ignoreCase: true,
    values: (node: string) => [node],
    condition: () => null,
    ownFile: false,
    parse: (text) => text ?? '',
  }),
  pool: attribute({
    field: 'pool',
    label: 'Pool',
    description: 'Containers in a resource pool',
    ignoreCase: false,
    values: (pool: string | null) => (pool === null ? [] : [pool]),
    condition: (pool) => pool ?? '',
    ownFile: true,
    parse: (text) => text ?? null,
  }),
  tags: attribute({
    field: 'tag',
    label: 'Tags',
    description: 'Containers that have one of these tags, in any case',
    ignoreCase: true,
    values: (tags: readonly string[]) => tags,
    condition: (tags) => tags.join(' '),
    ownFile: false,
    parse: (text) => text?.split(/[+;]/).filter((tag) => tag !== '') ?? [],
  }),
} as const;

type Table = typeof TABLE;
export type AttributeName = keyof Table;
export type AttributeField = Table[AttributeName]['field'];
type Shapes = {
  readonly [K in AttributeName]: Table[K] extends ContainerAttribute<infer T> ? T : never;
};

/** The attributes of a container on which decisions are based. */
export type ContainerAttributes = { readonly vmid: number } & Shapes;

/** The attributes by their names in `ContainerAttributes`. */
export const CONTAINER_ATTRIBUTES: {
  readonly [K in AttributeName]: ContainerAttribute<Shapes[K], Table[K]['field']>;
} = TABLE;

export const ATTRIBUTE_NAMES: readonly AttributeName[] = Object.keys(TABLE).filter(isAttributeName);

export function isAttributeName(name: string): name is AttributeName {
  return Object.hasOwn(TABLE, name);
}

/** The values of one attribute. */
export function valuesOf<K extends AttributeName>(
  attributes: ContainerAttributes,
  name: K,
): readonly string[] {
  const entry: ContainerAttribute<Shapes[K]> = CONTAINER_ATTRIBUTES[name];
  return entry.values(attributes[name]);
}

/** The text that precondition.sh compares; null if there is none. */
export function conditionOf<K extends AttributeName>(
  attributes: ContainerAttributes,
  name: K,
): string | null {
  const entry: ContainerAttribute<Shapes[K]> = CONTAINER_ATTRIBUTES[name];
  return entry.condition(attributes[name]);
}

/** The attributes that need not be compared if a decision depends only on `needed`. */
export function unneededAttributes(needed: ReadonlySet<AttributeName>): readonly AttributeName[] {
  return ATTRIBUTE_NAMES.filter((name) => CONTAINER_ATTRIBUTES[name].ownFile && !needed.has(name));
}

/** Only the attributes, in the order of the table, without other properties of a container. */
export function attributesOf(container: ContainerAttributes): ContainerAttributes {
  return collect(container.vmid, (name) => container[name]);
}

/** A container that a person describes. Attributes that are not given have the default of Proxmox VE. */
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
