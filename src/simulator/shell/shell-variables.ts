interface Variable {
  value: string | undefined;
  exported: boolean;
  readonly: boolean;
}

/** The variables of one shell, including local variables of functions. Values are byte strings. */
export class Variables {
  readonly #variables: Map<string, Variable>;
  /** For each running function: the previous values of its local variables. */
  readonly #scopes: Map<string, Variable | undefined>[] = [];
  #environment: ReadonlyMap<string, string> | undefined;

  constructor(environment: ReadonlyMap<string, string>) {
    this.#variables = new Map();
    for (const [name, value] of environment) {
      // A variable needs a valid name.
      if (/^[A-Za-z_]\w*$/.test(name)) this.#variables.set(name, { value, exported: true, readonly: false });
    }
  }

  clone(): Variables {
    const copy = new Variables(new Map());
    for (const [name, variable] of this.#variables) copy.#variables.set(name, { ...variable });
    for (const scope of this.#scopes) copy.#scopes.push(new Map(scope));
    return copy;
  }

  get(name: string): string | undefined {
    return this.#variables.get(name)?.value;
  }

  /** @returns false if it is read-only */
  set(
    name: string,
    value: string | undefined,
    flags: { exported?: boolean; readonly?: boolean } = {},
  ): boolean {
    const found = this.#variables.get(name);
    if (found?.readonly === true && value !== undefined) return false;
    this.#environment = undefined;
    const variable = found ?? { value: undefined, exported: false, readonly: false };
    if (value !== undefined) variable.value = value;
    if (flags.exported !== undefined) variable.exported = flags.exported;
    if (flags.readonly === true) variable.readonly = true;
    this.#variables.set(name, variable);
    return true;
  }

  /** @returns false if it is read-only */
  unset(name: string): boolean {
    if (this.#variables.get(name)?.readonly === true) return false;
    this.#environment = undefined;
    this.#variables.delete(name);
    return true;
  }

  isReadonly(name: string): boolean {
    return this.#variables.get(name)?.readonly === true;
  }

  get inFunction(): boolean {
    return this.#scopes.length > 0;
  }

  enterFunction(): void {
    this.#scopes.push(new Map());
  }

  leaveFunction(): void {
    this.#environment = undefined;
    for (const [name, before] of this.#scopes.pop() ?? []) {
      if (before) this.#variables.set(name, before);
      else this.#variables.delete(name);
    }
  }

  /** In dash, a local variable starts with the value of the outer variable. */
  makeLocal(name: string): void {
    const scope = this.#scopes.at(-1);
    if (!scope || scope.has(name)) return;
    const before = this.#variables.get(name);
    scope.set(name, before && { ...before });
  }

  /** Saves a variable. @returns a function that restores it */
  save(name: string): () => void {
    const before = this.#variables.get(name);
    const copy = before && { ...before };
    return () => {
      this.#environment = undefined;
      if (copy) this.#variables.set(name, copy);
      else this.#variables.delete(name);
    };
  }

  /** The environment of started programs. */
  get environment(): ReadonlyMap<string, string> {
    if (this.#environment) return this.#environment;
    const environment = new Map<string, string>();
    for (const [name, { value, exported }] of this.#variables) {
      if (exported && value !== undefined) environment.set(name, value);
    }
    this.#environment = environment;
    return environment;
  }

  names(kind: 'all' | 'exported' | 'readonly'): string[] {
    return [...this.#variables]
      .filter(([, each]) => (kind === 'all' ? each.value !== undefined : each[kind]))
      .map(([name]) => name)
      .sort();
  }
}
