import type { RemoteChannel } from '../../ssh/ssh-types.ts';

/** Each held channel occupies one of the ten sessions that sshd grants a connection. */
const MAX_HELD = 32;

/**
 * Channels whose command is over while processes in the background still hold its output. They are drained,
 * so that those processes are not stopped by a full pipe; when there are too many, the oldest is closed.
 */
export class OrphanedOutput {
  readonly #channels = new Set<RemoteChannel>();

  drain(channel: RemoteChannel): void {
    this.#channels.add(channel);
    channel.stdout.resume();
    channel.stderr.resume();
    void channel.closed.then(() => this.#channels.delete(channel));
    if (this.#channels.size <= MAX_HELD) return;
    const [oldest] = this.#channels;
    if (oldest) {
      this.#channels.delete(oldest);
      oldest.close();
    }
  }

  get size(): number {
    return this.#channels.size;
  }
}
