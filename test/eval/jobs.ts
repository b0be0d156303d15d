import * as z from 'zod';

type Arguments = Readonly<Record<string, unknown>>;

/** A call of a sequence, as an assistant makes it. */
export interface Step {
  readonly tool: string;
  /** A function of the data of the previous result, for an id that it contains. */
  readonly args: Arguments | ((previous: Arguments) => Arguments);
}

/** The containers of a node, by their part in the tasks. */
export interface Roles {
  /** Contains the large log, the large file, the configuration and the full disk. */
  readonly main: number;
  /** Receives the copy and, after `main`, the change. */
  readonly second: number;
  /** Does not run. */
  readonly stopped: number;
  /** Is frozen during the last task. */
  readonly frozen: number;
}

/** A task of an administrator: the request, and the calls that complete it. */
export interface Job {
  readonly name: JobName;
  readonly steps: readonly Step[];
  /** A container that is frozen during the task. */
  readonly frozen?: number;
}

export type JobName = (typeof JOB_NAMES)[number];

export const JOB_NAMES = [
  'a disk is full somewhere',
  'ports of all containers',
  'state of all containers',
  'problems of all containers',
  'a stopped container and its address',
  'a large file from one container to another',
  'errors in a large log',
  'a configuration is edited and validated',
  'the same command in all containers',
  'a long job in the background',
  'different looks at several containers',
  'long jobs in several containers',
  'a change with a canary and a check',
  'a command in a frozen container',
] as const;

/**
 * Fourteen kinds of tasks. A sequence is what a careful assistant calls: it reads what it changes, and verifies nothing that a
 * result has already verified. When a tool is added, the sequence is shortened here.
 */
export function jobsOn({ main, second, stopped, frozen }: Roles): readonly Job[] {
  const steps: Readonly<Record<JobName, readonly Step[]>> = {
    'a disk is full somewhere': [{ tool: 'inspect_containers', args: { sections: ['disk'] } }],
    'ports of all containers': [{ tool: 'inspect_containers', args: { sections: ['network'] } }],
    'state of all containers': [
      { tool: 'list_containers', args: { details: true, response_format: 'text' } },
    ],
    'problems of all containers': [{ tool: 'inspect_containers', args: {} }],
    'a stopped container and its address': [{ tool: 'start_container', args: { vmid: stopped } }],
    'a large file from one container to another': [
      {
        tool: 'copy_file',
        args: { source: `${main}:/srv/data.bin`, target: `${second}:/srv/data.bin` },
      },
    ],
    'errors in a large log': [
      { tool: 'read_logs', args: { vmid: main, path: '/var/log/app.log', match: 'ERROR', lines: 20 } },
    ],
    'a configuration is edited and validated': [
      { tool: 'read_file', args: { vmid: main, path: '/etc/app/app.conf', line: 100, lines: 41 } },
      {
        tool: 'edit_file',
        args: ({ sha256 }) => ({
          vmid: main,
          path: '/etc/app/app.conf',
          edits: [{ old: 'workers = 3\n', new: 'workers = 4\n' }],
          expected_sha256: sha256,
          validate: 'app-check {}',
        }),
      },
    ],
    'the same command in all containers': [
      { tool: 'exec_in_containers', args: { name: '*', command: 'cat /etc/agent-version' } },
    ],
    'a long job in the background': [
      {
        tool: 'container_exec_command',
        args: {
          vmid: main,
          command: 'sleep 1; echo part 1; sleep 1; echo reindexed; exit 3',
          background: true,
        },
      },
      { tool: 'get_job', args: ({ job }) => ({ job, wait: 20 }) },
    ],
    'different looks at several containers': [
      {
        tool: 'exec_in_containers',
        args: {
          commands: [
            { vmid: main, command: 'grep -m 1 ERROR /var/log/app.log' },
            { vmid: second, command: 'cat /etc/agent-version' },
          ],
        },
      },
    ],
    'long jobs in several containers': [
      {
        tool: 'exec_in_containers',
        args: {
          commands: [
            { vmid: main, command: 'sleep 1; echo reindexed; exit 3' },
            { vmid: second, command: 'sleep 1; echo compacted' },
          ],
          background: true,
        },
      },
      { tool: 'get_job', args: ({ containers }) => ({ jobs: startedJobs(containers), wait: 20 }) },
    ],
    'a change with a canary and a check': [
      { tool: 'exec_in_containers', args: { vmids: [main, second], command: 'cat /etc/agent.conf' } },
      {
        tool: 'exec_in_containers',
        args: {
          vmids: [main, second],
          command: "printf '%s\\n' 'interval = 30' >/etc/agent.conf",
          canary: true,
          check: 'grep -q interval /etc/agent.conf',
        },
      },
    ],
    'a command in a frozen container': [
      { tool: 'container_exec_command', args: { vmid: frozen, command: 'echo changed >>/etc/motd' } },
    ],
  };
  return JOB_NAMES.map((name) => ({
    name,
    steps: steps[name],
    ...(name === 'a command in a frozen container' ? { frozen } : {}),
  }));
}

function startedJobs(containers: unknown): string[] {
  const rows = z.array(z.object({ job: z.string() })).parse(containers);
  return rows.map(({ job }) => job);
}
