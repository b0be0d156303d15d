import { parseNodeReport, type RawFacts } from '../../src/proxmox/inspect/node-report.ts';
import type { Bench } from './cases.ts';
import type { StartOptions } from './machine.ts';
import { finish, NONCE, RUN_VARIABLE } from './protocol.ts';

/** A request to inspect-node.sh; other values have defaults. */
export interface NodeInspection {
  readonly sections?: string;
  /** Arguments of the precondition of each container. */
  readonly containers: Readonly<Record<number, readonly string[]>>;
  readonly limitS?: number;
  readonly longestS?: number;
  readonly atOnce?: number;
  /** The script that runs in each container; $1 is the inner word, $2 the sections. */
  readonly inside?: string;
  /** Bodies of lxc-attach, which gets the arguments of the real one, and of lxc-info. */
  readonly attach?: string;
  readonly info?: string;
  /** Bodies of other programs of the node. */
  readonly programs?: Readonly<Record<string, string>>;
}

export const RUN = `${RUN_VARIABLE}=0123456789abcdef`;
const SLACK = '61234';

/** Runs the script that lxc-attach is to run in container $vmid, as if it were there. */
export const ENTER =
  'vmid=$2; while [ "$1" != -- ]; do if [ "$1" = -v ]; then export "$2"; shift; fi; shift; done; shift; export vmid; exec "$@"';

/** Runs inspect-node.sh. @returns what it reports, and its raw output */
export async function inspectNode(bench: Bench, request: NodeInspection) {
  const { machine, scripts } = bench;
  const programs = await machine.folder();
  const write = (name: string, body: string) =>
    machine.files.write(`${programs}/${name}`, `#!/bin/sh\n${body}\n`, 0o755);
  await write('lxc-attach', request.attach ?? ENTER);
  await write('lxc-info', request.info ?? 'echo RUNNING; echo "4$2"');
  for (const [name, body] of Object.entries(request.programs ?? {})) await write(name, body);
  const args = [
    RUN,
    SLACK,
    String(request.limitS ?? 5),
    String(request.longestS ?? 60),
    String(request.atOnce ?? 8),
    request.inside ?? 'echo "$vmid is here"',
    'WORD',
    ...Object.entries(request.containers).flatMap(([vmid, fields]) => [
      vmid,
      request.sections ?? 'system',
      String(fields.length),
      ...fields,
    ]),
  ];
  const program = machine.start(`n=${NONCE}\n(\n${scripts.inspectNode}\n)`, args, { programs });
  const { stdout, code } = await finish(program);
  const reports: ReadonlyMap<number, RawFacts> = parseNodeReport({ stdout });
  return { reports, stdout, code, slack: SLACK };
}

/** Runs inspect-container.sh with these programs. @returns its parts, and whether it finished */
export async function inspectContainer(
  { machine, scripts }: Bench,
  sections: string,
  programs: Readonly<Record<string, string>> = {},
  options: StartOptions = {},
) {
  const folder = await machine.folder();
  for (const [name, body] of Object.entries(programs)) {
    await machine.files.write(`${folder}/${name}`, `#!/bin/sh\n${body}\n`, 0o755);
  }
  const { stdout } = await finish(
    machine.start(scripts.inspectContainer, ['WORD', sections], { programs: folder, ...options }),
  );
  const parts = new Map<string, string>();
  const codes = new Map<string, number>();
  for (const text of stdout.split(/^WORD part /m).slice(1)) {
    const [name = '', ...lines] = text.split('\n');
    const [own = ''] = lines.join('\n').split(/^WORD /m);
    parts.set(name, own);
    const [, code] = /^WORD code .* (\d+)$/m.exec(text) ?? [];
    if (code !== undefined) codes.set(name, Number(code));
  }
  return {
    parts,
    codes,
    began: stdout.startsWith('WORD began\n'),
    ended: stdout.endsWith('WORD ended\n'),
    stdout,
  };
}

/** A request to read-log.sh; other values have defaults. */
export interface LogReading {
  readonly path?: string;
  readonly how?: 'fixed' | 'regex' | 'all';
  readonly pattern?: string;
  readonly context?: number;
  readonly lines?: number;
  readonly seen?: number;
  readonly bytes?: number;
  readonly countOnly?: boolean;
  /** `message`, `hour` and so on, or `text:PATTERN`. */
  readonly group?: string;
  /** The first lines, not the last ones. */
  readonly head?: boolean;
  /** The time that times before now refer to. */
  readonly clock?: number;
  /** For a file: its id, first and end; for the journal: after, newest, unit, priority, since, until. */
  readonly more?: readonly string[];
  readonly programs?: Readonly<Record<string, string>>;
  readonly options?: StartOptions;
}

/** Runs read-log.sh. @returns its lines, and what it reports by word */
export async function readLog({ machine, scripts }: Bench, request: LogReading) {
  const folder = await machine.folder();
  for (const [name, body] of Object.entries(request.programs ?? {})) {
    await machine.files.write(`${folder}/${name}`, `#!/bin/sh\n${body}\n`, 0o755);
  }
  const {
    path = '',
    how = 'all',
    pattern = '',
    context = 0,
    lines = 100,
    seen = 0,
    bytes = 100_000,
  } = request;
  const args = [
    'WORD',
    path,
    how,
    pattern,
    String(context),
    String(lines),
    String(seen),
    String(bytes),
    keepOf(request),
    String(request.clock ?? ''),
    request.group ?? '',
    ...(request.more ?? (path === '' ? ['', '', '', '', '', ''] : ['', '0', '', '', ''])),
  ];
  const { stdout, stderr, code } = await finish(
    machine.start(scripts.readLog, args, { programs: folder, ...request.options }),
  );
  const [head = '', body = ''] = stdout.split('WORD lines\n');
  const report = new Map<string, string>();
  const groups: string[] = [];
  const files: string[] = [];
  for (const line of head.split('\n')) {
    const [word, name = '', ...rest] = line.split(' ');
    if (word !== 'WORD') continue;
    if (name === 'group') groups.push(rest.join(' '));
    else if (name === 'set') files.push(rest.slice(1).join(' ').replace(/.*\//, ''));
    else report.set(name, rest.join(' '));
  }
  const [, first, shown = body] = /^WORD first (.*)\n([\s\S]*)$/.exec(body) ?? [];
  return {
    report,
    groups,
    /** Names of the files that were read as one. */
    files,
    /** The first match, where the last ones are shown. */
    first,
    lines: shown
      .replace(/WORD ended\n$/, '')
      .split('\n')
      .filter((line) => line !== ''),
    ended: stdout.endsWith('WORD ended\n') && stderr === 'WORD began\nWORD ended\n',
    code,
    stdout,
  };
}

function keepOf({ group, countOnly, head }: LogReading): string {
  if (group !== undefined) return 'group';
  if (countOnly === true) return 'count';
  return head === true ? 'head' : 'tail';
}
