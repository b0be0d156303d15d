import { AppError } from '../../lib/errors.ts';
import { frozen } from '../../remote/frozen.ts';
import type { InFlightCalls } from '../../remote/in-flight.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import { PreconditionTimeout, RemoteCall } from '../../remote/remote-call.ts';
import { CommandNotStarted, disconnected } from '../../remote/remote-errors.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import type { Survivor } from '../../remote/remote-types.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { type AttachTarget, shellArgv } from '../../remote/session-requests.ts';
import { LIMIT_HINT, reachedLimit } from '../exec/reached-limit.ts';
import { formatCursor, type LogCursor, parseCursor } from './log-cursor.ts';
import { logFailure } from './log-errors.ts';
import { parseLogOutput } from './log-output.ts';
import type { LogPage, LogRequest } from './log-types.ts';

/** Enough time to filter a log of some gigabytes on a slow disk. */
const LIMIT_MS = 60_000;
/** UTF-8 has at most four bytes per character. */
const BYTES_PER_CHARACTER = 4;
/** Additional bytes for lines that are not part of the page. */
const OVERHEAD = 65_536;
/** What dash, bash or busybox say of a program that they could not start or that was killed. Before a retry, bash says it, too. */
const PROGRAM_LOST =
  /Cannot fork|can't fork|fork: (?!retry)(?:Resource temporarily unavailable|Cannot allocate memory)|(?:^|\n)(?:.*: line \d+: +\d+ )?Killed\b/;
/** Characters of stderr in which these messages are searched for, if they arrive in parts. */
const RECENT = 200;

export interface LogDeps {
  readonly shell: RemoteShell;
  readonly inFlight: InFlightCalls;
  readonly precondition: ActivePrecondition | null;
}

/**
 * Reads a page of a log in a container. It is filtered there.
 * @throws AppError if the log cannot be read or the cursor does not fit; CommandNotStarted
 */
export async function readLog(
  deps: LogDeps,
  target: AttachTarget & { readonly kind: 'container' },
  request: LogRequest,
): Promise<LogPage> {
  const { vmid } = target;
  const cursor = request.cursor === undefined ? null : parseCursor(request.cursor, vmid, request);
  const bytes = request.characterLimit * BYTES_PER_CHARACTER;
  const { word, output } = await runScript(deps, target, request.signal, bytes + OVERHEAD, (inner) =>
    scriptArguments(inner, request, cursor, bytes),
  );
  const answer = parseLogOutput(output, word, bytes);
  if (answer.failure !== null) throw logFailure(answer.failure, request, { vmid, similar: answer.similar });
  const page = answer.page(request, cursor);
  return {
    lines: page.lines,
    total: page.total,
    units: answer.units,
    unitsTotal: answer.unitsTotal,
    remaining: page.remaining,
    rotated: answer.rotated,
    damaged: answer.damaged,
    silentUnits: answer.silentUnits,
    files: answer.files,
    groups: answer.groups,
    first: page.first,
    last: page.last,
    similar: answer.similar,
    older: page.older === null ? null : formatCursor(page.older, vmid, request),
    newer: page.newer === null ? null : formatCursor(page.newer, vmid, request),
  };
}

function scriptArguments(
  word: string,
  request: LogRequest,
  cursor: LogCursor | null,
  bytes: number,
): readonly string[] {
  const { path, match, regex, context, lines, keep, countOnly, group } = request;
  const text = (value: string | number | null | undefined) => String(value ?? '');
  return [
    word,
    text(path),
    match === undefined ? 'all' : regex ? 'regex' : 'fixed',
    text(match),
    match === undefined ? '0' : String(context),
    String(lines),
    String(cursor?.seen ?? 0),
    String(bytes),
    group === undefined ? (countOnly ? 'count' : keep) : 'group',
    text(cursor?.clock),
    text(group),
    ...(path !== undefined
      ? [
          ...(cursor?.kind === 'file'
            ? [cursor.file, String(cursor.first), text(cursor.end)]
            : ['', '0', '']),
          text(request.since),
          text(request.until),
        ]
      : [
          cursor?.kind === 'journal' ? text(cursor.after) : '',
          cursor?.kind === 'journal' ? text(cursor.newest) : '',
          text(request.unit).replaceAll(/[, ]+/g, ','),
          text(request.priority),
          text(request.since),
          text(request.until),
        ]),
  ];
}

/** Runs the script in the container. Its output is untrusted and limited. */
async function runScript(
  { shell, inFlight, precondition }: LogDeps,
  target: AttachTarget & { readonly kind: 'container' },
  signal: AbortSignal,
  limit: number,
  args: (innerWord: string) => readonly string[],
): Promise<{ readonly word: string; readonly output: Buffer }> {
  const call = await RemoteCall.start(shell, {
    target,
    argv: ({ innerWord }) => shellArgv(SCRIPTS.readLog, args(innerWord)),
    precondition,
    input: false,
    signal: AbortSignal.any([signal, inFlight.ending]),
    timeoutMs: LIMIT_MS,
    hurried: () => inFlight.ending.aborted,
  }).catch((error: unknown) => {
    throw error instanceof PreconditionTimeout ? error.error : error;
  });
  const { innerWord: word } = call.run;
  const chunks: Buffer[] = [];
  let size = 0;
  let stderr = '';
  let recent = '';
  let incomplete = false;
  call.stdout.on('data', (chunk: Buffer) => {
    call.began();
    size += chunk.length;
    if (size <= limit) chunks.push(Buffer.from(chunk));
    else call.stop();
  });
  call.stderr.on('data', (chunk: Buffer) => {
    const text = chunk.toString('utf8');
    if (stderr.length < 8192) stderr += text;
    recent = recent.slice(-RECENT) + text;
    incomplete ||= PROGRAM_LOST.test(recent);
    if (recent.includes(`${word} ended`)) call.ended();
  });
  const reason = await call.stopped;
  if (reason === 'frozen') {
    await call.killFrozen();
    throw frozen(target);
  }
  if (reason === 'disconnected') throw disconnected('reading the log');
  if (reason === 'timeout' || reason === 'cancelled' || reason === 'stopped' || reason === 'held') {
    throw stopped(reason, await call.kill());
  }
  const output = Buffer.concat(chunks);
  if (!output.includes(`${word} began\n`)) {
    const [before = ''] = stderr.split(`${word} began\n`);
    throw new CommandNotStarted((await call.exit()).code, before);
  }
  if (incomplete || !output.includes(`${word} ended\n`))
    throw notSearched(target.vmid, await reachedLimit(shell, target, inFlight.ending));
  return { word, output };
}

/** Without all of its programs, the search would seem to have found nothing. */
function notSearched(vmid: number, limit: string | null): AppError {
  return new AppError(
    'EXIT_UNKNOWN',
    `The log in container ${vmid} was not searched completely, because a program of the search could not be started there or was killed.${limit === null ? '' : ` ${limit}`}`,
    limit === null
      ? 'Check the memory and the number of processes of the container, then call again.'
      : LIMIT_HINT,
  );
}

function stopped(
  reason: 'timeout' | 'cancelled' | 'stopped' | 'held',
  survivors: readonly Survivor[] | null,
): AppError {
  const left =
    survivors?.length === 0 ? '' : ' Processes of the search may still be running in the container.';
  if (reason === 'cancelled') {
    return new AppError(
      'CANCELLED',
      `The call was cancelled. It changed nothing.${left}`,
      'Call again if the result is still needed.',
    );
  }
  if (reason === 'timeout') {
    return new AppError(
      'TIMEOUT',
      `The log could not be searched within ${LIMIT_MS / 1000} s, so the search was killed.${left}`,
      'Read fewer lines, use a fixed string, or narrow the time with since and until.',
    );
  }
  return new AppError(
    'EXIT_UNKNOWN',
    `The container sent output that is not the result of the search, so the search was killed.${left}`,
    'Check /bin/sh, grep and tail in the container.',
  );
}
