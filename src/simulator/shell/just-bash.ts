/** just-bash is an optional peer dependency, and takes 150 ms to load: nothing but a running simulator needs it. */
let loading: Promise<typeof import('just-bash')> | undefined;

export function loadJustBash(): Promise<typeof import('just-bash')> {
  loading ??= import('just-bash');
  return loading;
}
