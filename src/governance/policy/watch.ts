import { type FSWatcher, watch } from 'node:fs';

/**
 * Tells when something in a directory changes. The directory, not the file: editors and configuration management put a new
 * file in place of the old one, and a watch on the old one hears no more. Where the system cannot tell, nothing is told.
 */
export function watchDirectory(directory: string, changed: () => void): { close(): void } {
  let watcher: FSWatcher | undefined;
  try {
    // Not persistent: it must not keep the process alive.
    watcher = watch(directory, { persistent: false }, changed);
    watcher.on('error', () => watcher?.close());
  } catch {
    // No inotify left, or a file system without: a change is seen at the next decision.
  }
  return { close: () => watcher?.close() };
}
