import type { McpServer } from '@modelcontextprotocol/server';
import type { ServerDeps } from '../calls/call-deps.ts';
import { messageOf } from '../lib/errors.ts';

/**
 * Tells the client of this server object when a policy that was read again may have changed its list of tools. The SDK
 * sends it unasked to clients of 2025 and on subscriptions to modern ones. Returns how to stop.
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
