import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { messageOf } from '../../../lib/errors.ts';
import { VERSION } from '../../../lib/version.ts';
import type { ClientEntry } from './clients.ts';

/** Enough for starting the server, connecting through jump hosts and listing containers. */
const LIMIT_MS = 45_000;

/** The variables that clients pass on to the servers they start. */
const PASSED_ON = ['HOME', 'LOGNAME', 'USER', 'SHELL', 'TERM'];
const PASSED_ON_BY_WINDOWS = [
  'APPDATA',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'PATH',
  'PROCESSOR_ARCHITECTURE',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'SystemRoot',
  'TEMP',
  'USERNAME',
  'USERPROFILE',
  'PROGRAMFILES',
];
const SHORT_PATH = '/usr/bin:/bin:/usr/sbin:/sbin';

/** The environment in which a client starts a server: a few variables and a short PATH. */
export function clientEnvironment({ platform, env }: HostEnvironment): Record<string, string> {
  const names = platform === 'win32' ? PASSED_ON_BY_WINDOWS : PASSED_ON;
  const passed = names.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...(platform === 'win32' ? {} : { PATH: SHORT_PATH }), ...Object.fromEntries(passed) };
}

export type SelfTest =
  | { readonly ok: true; readonly summary: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/**
 * Starts the server with the entry that was written, as a client does, and lists the containers. With `exec`, also runs `true`
 * in that container. Never rejects.
 */
export async function selfTest(
  { command, args, env = {} }: ClientEntry,
  at: HostEnvironment,
  { exec, signal }: { readonly exec: number | undefined; readonly signal: AbortSignal },
): Promise<SelfTest> {
  const client = new Client({ name: 'proxmox-mcp-init', version: VERSION });
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...clientEnvironment(at), ...env },
    cwd: at.home,
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString('utf8');
  });
  const call = async (name: string, given: Record<string, unknown>): Promise<unknown> => {
    const result = await client.callTool({ name, arguments: given }, { signal, timeout: LIMIT_MS });
    const text = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
    if (result.isError === true) throw new Error(text);
    return result.structuredContent;
  };
  try {
    await client.connect(transport, { timeout: LIMIT_MS });
    const summary = [`${countOf(await call('proxmox_list_containers', {}))} listed`];
    if (exec !== undefined) {
      await call('proxmox_container_exec_command', { vmid: exec, command: 'true' });
      summary.push(`command run in container ${exec}`);
    }
    return { ok: true, summary };
  } catch (error) {
    return { ok: false, problem: [messageOf(error), stderr.trim()].filter((text) => text !== '').join('\n') };
  } finally {
    await client.close().catch(() => {});
  }
}

function countOf(list: unknown): string {
  const found = typeof list === 'object' && list !== null && 'containers' in list ? list.containers : [];
  const count = Array.isArray(found) ? found.length : 0;
  return count === 1 ? '1 container' : `${count} containers`;
}
