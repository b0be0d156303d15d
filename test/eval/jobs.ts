type Arguments = Readonly<Record<string, unknown>>;

/** A call of a sequence, as an assistant would make it. */
export interface Step {
  readonly tool: string;
  /** A function of the data of the previous result, for an id that it contains. */
  readonly args: Arguments | ((previous: Arguments) => Arguments);
}

/** A task of an administrator: the request, the calls that complete it, and the texts that the results must contain. */
export interface Job {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Texts that the results must contain. Without them, the sequence has not completed the task, however cheap it is. */
  readonly finds: readonly RegExp[];
}

const everywhere = (command: string, more: Record<string, unknown> = {}): Step => ({
  tool: 'exec_in_containers',
  args: { name: '*', command, ...more },
});
const inside = (vmid: number, command: string, more: Record<string, unknown> = {}): Step => ({
  tool: 'container_exec_command',
  args: { vmid, command, ...more },
});

/**
 * Twelve kinds of tasks. A sequence is the shortest that a careful assistant would use with the existing tools; when a tool is
 * added, the sequence is shortened here.
 */
export const JOBS: readonly Job[] = [
  {
    name: 'a disk is full somewhere',
    steps: [
      { tool: 'inspect_containers', args: { sections: ['disk'] } },
      inside(101, 'du -a / 2>/dev/null | sort -n | tail -n 5'),
    ],
    finds: [/101/, /9[78] ?%/, /app\.log|data\.bin/],
  },
  {
    name: 'ports of all containers',
    steps: [everywhere('ss -tlnp')],
    finds: [/:5432/, /:3000/, /:25 /],
  },
  {
    name: 'state of all containers',
    steps: [{ tool: 'list_containers', args: { details: true, response_format: 'text' } }],
    finds: [/107 +stopped +old/, /103 +running +db1/],
  },
  {
    name: 'a large file from one container to another',
    steps: [
      {
        tool: 'download_file_from_container',
        args: { vmid: 101, container_path: '/srv/data.bin', local_path: 'data.bin' },
      },
      {
        tool: 'upload_file_to_container',
        args: { vmid: 102, local_path: 'data.bin', container_path: '/srv/data.bin' },
      },
    ],
    finds: [/Verified by SHA-256/],
  },
  {
    name: 'errors in a large log',
    steps: [{ tool: 'read_logs', args: { vmid: 101, path: '/var/log/app.log', match: 'ERROR', lines: 20 } }],
    finds: [/ERROR request 7 failed/, /ERROR request 20007 failed/],
  },
  {
    name: 'a configuration is edited and validated',
    steps: [
      inside(101, 'cat /etc/nginx/nginx.conf'),
      inside(
        101,
        "cp /etc/nginx/nginx.conf /tmp/nginx.conf && sed 's/workers 2/workers 4/' /tmp/nginx.conf >/etc/nginx/nginx.conf && nginx -t && cat /etc/nginx/nginx.conf",
        { expect_name: 'web1' },
      ),
    ],
    finds: [/configuration OK/, /workers 4/],
  },
  {
    name: 'failed services',
    steps: [{ tool: 'inspect_containers', args: {} }],
    finds: [/certbot/],
  },
  {
    name: 'pending updates',
    steps: [everywhere('apt list --upgradable 2>/dev/null', { except: [105] })],
    finds: [/libssl3t64/, /5 equal/],
  },
  {
    name: 'the same command in six containers',
    steps: [everywhere('cat /etc/hostname')],
    finds: [/"web1"/, /"git"/, /Exit code 0 \(6 containers\)/],
  },
  {
    name: 'a long job in the background',
    steps: [
      inside(103, 'sleep 2; echo upgraded', { background: true }),
      { tool: 'get_job', args: ({ job }) => ({ job, wait: 20 }) },
    ],
    finds: [/upgraded/, /exit code:? 0/i],
  },
  {
    name: 'a change with a canary and a check',
    steps: [
      {
        tool: 'exec_in_containers',
        args: { tags: ['web'], command: 'touch /etc/nginx/changed', canary: true, check: 'nginx -t' },
      },
    ],
    finds: [/Check passed in 2 containers/],
  },
  {
    name: 'versions of the operating systems',
    steps: [everywhere('. /etc/os-release; echo "$PRETTY_NAME"')],
    finds: [/5 equal: .*Debian/, /Alpine/],
  },
];
