/** just-bash takes 150 ms to load: only a running simulator needs it. */
let loading: Promise<typeof import('just-bash')> | undefined;

export function loadJustBash(): Promise<typeof import('just-bash')> {
  loading ??= import('just-bash');
  return loading;
}
