/** A call of a sequence, as an assistant would make it. */
export interface Step {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A job of an admin: what the user asks, the calls that do it, and what the results must say when it is done. */
export interface Job {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Texts that the results contain. Without them, the sequence has not done the job, however cheap it is. */
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
 * Twelve kinds of jobs. A sequence is the shortest that a careful assistant would use with the tools that there are; a new
 * tool shortens its sequence here.
 */
export const JOBS: readonly Job[] = [
  {
    name: 'a disk is full somewhere',
    steps: [
      everywhere("df -h / | tail -n 1 | sed 's/  */ /g'"),
      inside(101, 'du -a / 2>/dev/null | sort -n | tail -n 5'),
    ],
    finds: [/98%/, /Skipped 107/, /app\.log|data\.bin/],
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
    steps: [
      inside(101, 'grep -c ERROR /var/log/app.log; grep ERROR /var/log/app.log', {
        max_output: 2000,
        keep: 'tail',
      }),
    ],
    finds: [/ERROR request \d+ failed/, /\n3\n/],
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
    steps: [everywhere('systemctl --failed --no-legend --plain 2>/dev/null || rc-status --crashed')],
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
      inside(103, 'sh -c "sleep 1; echo upgraded; echo 0 >/tmp/code" >/tmp/out 2>&1 </dev/null & echo $!'),
      inside(103, 'sleep 2; cat /tmp/code /tmp/out'),
    ],
    finds: [/0\nupgraded/],
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
