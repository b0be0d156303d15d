import type { McpServer } from '@modelcontextprotocol/server';
import type { ServerDeps } from '../calls/call-deps.ts';
import { messageOf } from '../lib/errors.ts';

/**
 * Notifies the client of this server object when a reloaded policy may have changed its list of tools. Clients of 2025 get
 * the notification without a subscription, later ones on their subscription. Returns a function that stops it.
 */
export function announceChanges(mcp: McpServer, deps: ServerDeps): () => void {
  if (deps.listMayChange !== true) return () => {};
  const announce = () => {
    if (!mcp.isConnected()) return;
    mcp.server.sendToolListChanged().catch((error: unknown) => {
      deps.logger.debug({ reason: messageOf(error) }, 'tools/list_changed not sent');
    });
  };
  let stop: (() => void) | undefined;
  let stopped = false;
  void deps.policy().then((policy) => {
    if (!stopped) stop = policy.onChange(announce);
  });
  return () => {
    stopped = true;
    stop?.();
  };
}
