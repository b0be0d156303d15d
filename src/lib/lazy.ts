/**
 * A value that is created when it is first needed. For large regular expressions: V8 parses each when it is created, and most
 * starts of the server use none of them.
 */
export function lazy<T>(create: () => T): () => T {
  let created: { readonly value: T } | undefined;
  return () => {
    created ??= { value: create() };
    return created.value;
  };
}
