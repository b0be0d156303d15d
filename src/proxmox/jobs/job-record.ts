import * as z from 'zod';
import type { ScriptOutput } from '../../remote/remote-shell.ts';
import type { Survivor } from '../../remote/remote-types.ts';
import type { Job, JobAbout, JobEnd, JobEnding, JobOutputSize } from './job-types.ts';

/** A job as stored in its folder on the node: the fields for tools, and those for reading its output and killing it. */
export interface JobRecord {
  readonly job: Job;
  readonly about: StoredAbout;
  /** The marker of its processes, see RunId. */
  readonly run: { readonly id: string; readonly slackNs: number };
  readonly innerWord: string;
  /** Clock ticks since boot, not later than its start. */
  readonly since: number;
  /** Whether its processes may still exist: the node has not been restarted since. */
  readonly sameBoot: boolean;
  /** Offsets and sizes of the files with its output, in order. */
  readonly files: Readonly<Record<'out' | 'err', readonly OutputFile[]>>;
  /** The end may not be in the audit log yet. */
  readonly unlogged: boolean;
}

export interface OutputFile {
  readonly offset: number;
  readonly size: number;
}

const aboutSchema = z.object({
  tool: z.string(),
  caller: z.string(),
  vmid: z.number().nullable(),
  command: z.string(),
  timeoutS: z.number(),
  startedAt: z.number(),
  approval: z.string().nullable(),
  run: z.string(),
  slackNs: z.number(),
  innerWord: z.string(),
});

/** The content of the file "about": one line of JSON. */
export type StoredAbout = JobAbout & {
  readonly run: string;
  readonly slackNs: number;
  readonly innerWord: string;
};

const TICK_MS = 10;
/** A job whose supervisor has not begun after a minute was not started. */
const STARTED_WITHIN_TICKS = 6_000;
const ENDED = /^s\.ended\.(exit|timeout|cancelled|stopped)\.(\d{0,3})\.(\d{1,15})\.([a-z]*)\.(\d{0,3})$/;
const LIVE = /^s\.(?:running|timeout|cancel)\.([1-9]\d{0,9})$/;
/** The value of LEFT in the name of a state if the number of survivors is not known. */
const LEFT_UNKNOWN = 101;

/** The jobs that job-list.sh or job-read.sh reported; undefined if the report is incomplete. */
export function parseJobs({
  items,
  sections,
}: Pick<ScriptOutput, 'items' | 'sections'>): JobRecord[] | undefined {
  const reported = new Map(items);
  if (reported.has('empty')) return [];
  const [boot = '', now = ''] = (reported.get('node') ?? '').split(' ');
  if (boot === '' || !reported.has('complete')) return undefined;
  const looked = (reported.get('looked') ?? '').split(' ');
  const alive = new Map(
    (sections.get('processes') ?? '').split('\n').map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const files = new Map<string, Map<string, number>>();
  for (const line of (sections.get('files') ?? '').split('\n')) {
    const [, size, id = '', name = ''] = /^(\d{1,15}) ([a-z2-7]+)\/(\S+)$/.exec(line) ?? [];
    if (size === undefined) continue;
    const known = files.get(id) ?? new Map<string, number>();
    files.set(id, known.set(name, Number(size)));
  }
  const texts = new Map<string, string[]>();
  for (const line of (sections.get('about') ?? '').split('\n')) {
    const [, file = '', text = ''] = /^([a-z2-7]+\/[a-z]+):(.*)$/.exec(line) ?? [];
    texts.set(file, [...(texts.get(file) ?? []), text]);
  }
  return [...files].flatMap(([id, names]) => {
    const about = parseAbout(texts.get(`${id}/about`)?.[0]);
    if (about === undefined) return [];
    const [bootThen = '', since = ''] = (texts.get(`${id}/start`)?.[0] ?? '').split(' ');
    const left = survivorsIn(texts.get(`${id}/left`) ?? []);
    const node = { sameBoot: boot === bootThen, now: Number(now), looked, alive };
    return [recordOf(id, about, names, Number(since), left, node)];
  });
}

function parseAbout(text: string | undefined): StoredAbout | undefined {
  try {
    return aboutSchema.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}

interface NodeFacts {
  readonly sameBoot: boolean;
  /** Clock ticks since boot. */
  readonly now: number;
  /** The paths /proc/PID/cmdline that the script has tried to read, and those that exist. */
  readonly looked: readonly string[];
  readonly alive: ReadonlyMap<string, string>;
}

function recordOf(
  id: string,
  about: StoredAbout,
  names: ReadonlyMap<string, number>,
  since: number,
  left: readonly Survivor[],
  node: NodeFacts,
): JobRecord {
  const ended = [...names.keys()].map((name) => ENDED.exec(name)).find((match) => match !== null);
  const [, how = '', code = '', ticks = '', flags = '', count = ''] = ended ?? [];
  const end = ended ? endOf(how, code, flags, count, left) : undefined;
  const lost = end ?? lostEnd(id, [...names.keys()], since, node);
  const outputs = { out: outputFiles(names, 'out'), err: outputFiles(names, 'err') };
  // The two lines of the wrapper are not output.
  const size = (files: readonly OutputFile[]) =>
    outputSize(files, flags.includes('e') ? 2 * frameLength(about) : frameLength(about));
  const until = ended ? Number(ticks) : lost === null ? node.now : Number.NaN;
  const durationMs = Math.max(0, (until - since) * TICK_MS);
  const { run, slackNs, innerWord, ...rest } = about;
  return {
    about,
    run: { id: run, slackNs },
    innerWord,
    since,
    sameBoot: node.sameBoot,
    files: outputs,
    unlogged: lost !== null && names.has('l.no'),
    job: {
      ...rest,
      id,
      state: lost === null ? 'running' : 'ended',
      began: flags.includes('b') || totalOf(outputs.out) > 0,
      end: lost,
      durationMs: Number.isFinite(durationMs) ? durationMs : null,
      output: { stdout: size(outputs.out), stderr: size(outputs.err) },
      diskFull: [...names.keys()].some((name) => /^o\.(?:out|err)\.(?:full|ended|cut)$/.test(name)),
    },
  };
}

function endOf(how: string, code: string, flags: string, count: string, left: readonly Survivor[]): JobEnd {
  const attachCode = code === '' ? null : Number(code);
  const known = count !== '' && Number(count) < LEFT_UNKNOWN;
  return {
    how: how as JobEnding,
    // Without the wrapper's report, the exit code is not that of the command.
    exitCode: how === 'exit' && flags.includes('e') ? attachCode : null,
    survivors: left.length > 0 ? left : known ? [] : null,
    outputHeld: flags.includes('h'),
    attachCode,
  };
}

/** The end of a job that recorded none itself; null if it is running. */
function lostEnd(id: string, names: readonly string[], since: number, node: NodeFacts): JobEnd | null {
  const end = { exitCode: null, outputHeld: false, attachCode: null };
  if (!node.sameBoot) return { ...end, how: 'rebooted', survivors: [] };
  const pid = names.map((name) => LIVE.exec(name)?.[1]).find((found) => found !== undefined);
  if (pid === undefined) {
    return node.now - since > STARTED_WITHIN_TICKS ? { ...end, how: 'lost', survivors: null } : null;
  }
  const file = `/proc/${pid}/cmdline`;
  // The processes were read before the states. A process that is named only in a newer state has been started since, and is
  // alive.
  if (!node.looked.includes(file) || node.alive.get(file)?.includes(`/${id}\0`) === true) return null;
  return { ...end, how: 'lost', survivors: null };
}

function survivorsIn(lines: readonly string[]): Survivor[] {
  return lines.slice(0, 100).flatMap((line) => {
    const [, pid, name = ''] = /^([1-9]\d{0,9})(?: (.*))?$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), name }];
  });
}

function outputFiles(names: ReadonlyMap<string, number>, stream: 'out' | 'err'): OutputFile[] {
  return [...names]
    .flatMap(([name, size]) => {
      const [, kind, offset] = /^(out|err)\.(\d{1,15})$/.exec(name) ?? [];
      return kind === stream ? [{ offset: Number(offset), size }] : [];
    })
    .sort((a, b) => a.offset - b.offset);
}

/** Bytes of the line "WORD began", and of "WORD ended". */
export function frameLength({ innerWord }: Pick<StoredAbout, 'innerWord'>): number {
  return innerWord.length + ' began\n'.length;
}

export function totalOf(files: readonly OutputFile[]): number {
  const last = files.at(-1);
  return last === undefined ? 0 : last.offset + last.size;
}

/** The first byte after the head that is kept: the end of the head if nothing was dropped. */
export function gapOf([head, ...tail]: readonly OutputFile[]): {
  readonly from: number;
  readonly to: number;
} {
  const from = head === undefined ? 0 : head.offset + head.size;
  return { from, to: tail[0]?.offset ?? from };
}

function outputSize(files: readonly OutputFile[], frames: number): JobOutputSize {
  const { from, to } = gapOf(files);
  return { total: Math.max(0, totalOf(files) - frames), dropped: to - from };
}
