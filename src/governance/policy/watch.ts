import { type FSWatcher, watch } from 'node:fs';

/**
 * Calls `changed` when something in a directory changes. It watches the directory, because editors and configuration
 * management replace files, and a watch on the old file would report nothing. Without support by the system it does nothing.
 */
export function watchDirectory(directory: string, changed: () => void): { close(): void } {
  let watcher: FSWatcher | undefined;
  try {
    // Not persistent: it must not keep the process alive.
    watcher = watch(directory, { persistent: false }, changed);
    watcher.on('error', () => watcher?.close());
  } catch {
    // The inotify limit is reached or the file system has no support. A change is then noticed at the next decision.
  }
  return { close: () => watcher?.close() };
}
