import { expect } from 'vitest';
import type { useClient } from './connect.ts';

/** Functions for tests of jobs, over one client. */
export function jobsOf(node: ReturnType<typeof useClient>) {
  const get = (job: string, more: Record<string, unknown> = {}) => node.call('get_job', { job, ...more });
  return {
    get,
    async start(vmid: number, command: string, more: Record<string, unknown> = {}) {
      const args = { vmid, command, background: true, ...more };
      const result = await node.call('container_exec_command', args);
      expect(result.isError, result.text).toBe(false);
      return { ...result, job: String(result.data.job) };
    },
    /** Waits for the end of a job. */
    async ended(job: string) {
      for (let looks = 0; looks < 300; looks += 1) {
        const result = await get(job, { wait: 30 });
        if (result.data.state !== 'running') return result;
      }
      throw new Error('the job does not end');
    },
    /** Runs a command on the node itself; needs ENABLE_HOST_EXEC. */
    async onHost(command: string): Promise<string> {
      const result = await node.call('host_exec_command', { command });
      expect(result.data.exit_code, result.text).toBe(0);
      return String(result.data.stdout);
    },
  };
}

export const JOBS_DIR = '/var/lib/proxmox-mcp/jobs';
