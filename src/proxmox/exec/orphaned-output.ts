import type { RemoteChannel } from '../../ssh/ssh-types.ts';

/** Limit, because each such channel uses one of the ten sessions that sshd allows per connection. */
const MAX_HELD = 32;

/**
 * Channels whose command has ended while background processes still have its output streams open. They are drained, so that
 * a full pipe does not block those processes. If there are too many, the oldest is closed.
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
