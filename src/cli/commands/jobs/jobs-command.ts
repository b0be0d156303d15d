import { type Command, JSON_OPTION } from '../../command.ts';

/** `proxmox-mcp jobs`. */
export const jobs: Command = {
  name: 'jobs',
  summary: 'List, show or cancel the jobs of all callers',
  usage: ['jobs [list]', 'jobs show ID', 'jobs cancel ID'],
  maxArgs: 2,
  options: [JSON_OPTION],
  details: `Jobs are commands that were started in the background. They run on the node,
also while no server runs, and are removed a day after their end.

list       all jobs, with the caller who started each
show ID    its output on stdout and stderr, then its state
cancel ID  kill it and all its processes, and verify it

Exit code: 0 done; 1 failed; 2 invalid arguments or settings.
`,
  start: async (request) => (await import('./jobs.ts')).jobs(request),
};
