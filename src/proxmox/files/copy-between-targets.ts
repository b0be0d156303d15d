import { randomBytes } from 'node:crypto';
import { AppError } from '../../lib/errors.ts';
import { bothPreconditions } from '../../remote/precondition.ts';
import { CommandNotStarted } from '../../remote/remote-errors.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { type AttachTarget, attachCommand, newNonce, shellArgv } from '../../remote/session-requests.ts';
import { isNotConnected } from '../../ssh/pool-errors.ts';
import { withReachedLimit } from '../exec/reached-limit.ts';
import { diagnoseContainer, diagnoseHost } from '../inventory/diagnose.ts';
import { NodeUnavailable } from '../nodes/node-unavailable.ts';
import type { CopiedContent, CopyEnd, CopyOptions, CopyResult, FileFacts } from '../proxmox-types.ts';
import { relay } from '../transfer/relay.ts';
import { removeBeside } from '../transfer/remove-remote-files.ts';
import { checkRemotePath } from '../transfer/transfer-errors.ts';
import { type TransferDeps, TransferSession } from '../transfer/transfer-session.ts';
import { readFacts } from './read-facts.ts';

/** To look through a directory and make its tar stream once, in ms. */
const LOOK_LIMIT_MS = 15 * 60_000;
/** To remove a directory with many files, in ms. */
const REMOVE_LIMIT_MS = 5 * 60_000;
/** More than any file system has. */
const MAX_ENTRIES = Number.MAX_SAFE_INTEGER;
const SHA256 = /^[0-9a-f]{64}$/;

/** What a copy sends. */
interface Source extends FileFacts {
  readonly kind: 'file' | 'directory';
  /** Whether the file uses less space than its size. */
  readonly holes: boolean;
}

/** One side of a copy. */
export interface CopyDeps extends TransferDeps {
  /** The node of this side, if the other side is on another node; otherwise null. */
  readonly node: string | null;
}

/**
 * Copies a file or a directory from one container to another, or between a container and a node. The two halves are programs
 * of their own that know nothing of each other. On one node they are connected by a pipe that carries only bytes (see copy.sh);
 * on different nodes they are two sessions, and the server passes on the bytes. Both sides hash what is on their disk, and the copy is published only if the hashes are equal.
 * @throws AppError, after which the target has its old content
 */
export async function copyFile(
  sourceDeps: CopyDeps,
  targetDeps: CopyDeps,
  options: CopyOptions,
): Promise<CopyResult> {
  const from = attachTarget(options.source);
  const to = attachTarget(options.target);
  const asked = options.recursive ? withoutFinalSlash(options) : options;
  checkRemotePath(asked.source.path);
  checkRemotePath(asked.target.path);
  const { signal } = asked;
  const source = await diagnosed(sourceDeps, from, signal, () => lookAtSource(sourceDeps, from, asked));
  return diagnosed(targetDeps, to, signal, () => send(sourceDeps, targetDeps, source, asked));
}

/** A directory as source may have slashes at the end of its name. In a target, they could mean a copy in it. */
function withoutFinalSlash(options: CopyOptions): CopyOptions {
  const { source } = options;
  return { ...options, source: { ...source, path: source.path.replace(/(?<=[^/])\/+$/, '') } };
}

function attachTarget({ vmid }: CopyEnd): AttachTarget {
  return vmid === null ? { kind: 'host' } : { kind: 'container', vmid };
}

/** Explains why a program did not start, and which of two nodes cannot be used. */
async function diagnosed<T>(
  { shell, node }: CopyDeps,
  target: AttachTarget,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (node !== null && isNotConnected(error) && !(error instanceof NodeUnavailable)) {
      throw new NodeUnavailable(node, error);
    }
    if (!(error instanceof CommandNotStarted)) throw await withReachedLimit(error, shell, target, signal);
    throw target.kind === 'host'
      ? await diagnoseHost(shell, error, signal)
      : await diagnoseContainer(shell, target.vmid, error, signal);
  }
}

async function lookAtSource(deps: TransferDeps, from: AttachTarget, options: CopyOptions): Promise<Source> {
  try {
    return { ...(await look(deps, from, SCRIPTS.sourceInfo, options)), kind: 'file' };
  } catch (error) {
    const directory = error instanceof AppError && error.code === 'IS_A_DIRECTORY';
    if (!directory || !options.recursive) throw error;
    return { ...(await look(deps, from, SCRIPTS.sourceTreeInfo, options)), kind: 'directory' };
  }
}

async function look(
  deps: TransferDeps,
  from: AttachTarget,
  script: string,
  { source, signal, recursive }: CopyOptions,
): Promise<FileFacts & Pick<Source, 'holes'>> {
  const request = { script, args: [source.path], signal, readsOnly: true };
  const session = await TransferSession.open(deps, from, request);
  try {
    if (recursive) session.working(LOOK_LIMIT_MS);
    let holes = false;
    const facts = await readFacts(session, ([field]) => {
      holes = field === '1';
    });
    session.finish();
    return { ...facts, holes };
  } catch (error) {
    await session.abandon();
    throw error;
  }
}

/** A script and its arguments without the word with which it reports. */
interface Half {
  readonly script: string;
  readonly args: readonly string[];
}

/** The first half, which writes the bytes to stdout and its report to stderr. */
function sendingHalf({ kind, path, size }: Source, options: CopyOptions): Half {
  return kind === 'file'
    ? { script: SCRIPTS.sendFile, args: [path, String(size)] }
    : { script: SCRIPTS.sendTree, args: [path, isRestricted(options) ? '1' : '0'] };
}

/** Whether files lose their set-ID bits: on the node, a program of a container must not run with the rights of its owner, who may be root. */
function isRestricted({ source, target }: CopyOptions): boolean {
  return source.vmid !== null && target.vmid === null;
}

/** The second half, which reads the bytes and then the verdict from stdin, and reports to stdout. */
function receivingHalf(source: Source, part: string, options: CopyOptions): Half {
  const { source: from, target, overwrite } = options;
  const over = overwrite ? '1' : '0';
  const { kind, size, uid, gid } = source;
  const restricted = isRestricted(options);
  const same = from.vmid === target.vmid ? source.path : '';
  if (kind === 'directory') {
    const args = [target.path, String(size), over, part, restricted ? '1' : '0', same];
    return { script: SCRIPTS.receiveTree, args };
  }
  const mode = restricted ? withoutSetIds(source.mode) : source.mode;
  const file = [target.path, String(size), mode, String(uid), String(gid), over, part, mode];
  return { script: SCRIPTS.upload, args: [...file, same, source.holes ? '1' : '0'] };
}

function withoutSetIds(mode: string): string {
  return (Number.parseInt(mode, 8) & ~0o6000).toString(8);
}

function argvOf({ script, args }: Half, word: string): readonly string[] {
  return shellArgv(script, [word, ...args]);
}

/** Starts both halves on one node. The session is that of the second half. */
async function openBoth(
  sourceDeps: CopyDeps,
  deps: CopyDeps,
  { source, second, options }: { source: Source; second: Half; options: CopyOptions },
): Promise<TransferSession> {
  const sourceWord = newNonce();
  const from = attachTarget(options.source);
  const to = attachTarget(options.target);
  const session = await TransferSession.openCopy(deps, to, {
    argv: (run) =>
      shellArgv(SCRIPTS.copy, [
        run.innerWord,
        attachCommand(from, run, argvOf(sendingHalf(source, options), sourceWord)),
        attachCommand(to, run, argvOf(second, run.innerWord)),
        String(source.size),
      ]),
    precondition: bothPreconditions(sourceDeps.precondition, deps.precondition),
    sourceWord,
    signal: options.signal,
    size: source.size,
    onProgress: (bytes) => {
      options.onProgress?.(bytes, source.size);
      // Both sides then read what is on their disk, and report nothing meanwhile.
      if (bytes >= source.size) bothRead(source, session);
    },
  });
  return session;
}

/** Both sides now read what is on their disk. That of many small files takes longer than their bytes. */
function bothRead({ kind, size }: Source, ...sessions: TransferSession[]): void {
  for (const session of sessions) {
    if (kind === 'file') session.digesting(size);
    else session.working(LOOK_LIMIT_MS);
  }
}

async function send(
  sourceDeps: CopyDeps,
  deps: CopyDeps,
  source: Source,
  options: CopyOptions,
): Promise<CopyResult> {
  const { signal } = options;
  const part = `.proxmox-mcp-${randomBytes(8).toString('hex')}.part`;
  const second = receivingHalf(source, part, options);
  const onOneNode = sourceDeps.node === deps.node;
  const from = attachTarget(options.source);
  let sender: TransferSession | undefined;
  const openSender = async () => {
    const request = { ...sendingHalf(source, options), signal, readsOnly: true, sends: true };
    sender ??= await diagnosed(sourceDeps, from, signal, () =>
      TransferSession.open(sourceDeps, from, request),
    );
    return sender;
  };
  // Sessions of two nodes are taken in the order of their names, so that many opposite copies do not wait for each other.
  if (!onOneNode && (sourceDeps.node ?? '') < (deps.node ?? '')) await openSender();
  let session: TransferSession;
  try {
    session = onOneNode
      ? await openBoth(sourceDeps, deps, { source, second, options })
      : await TransferSession.open(deps, attachTarget(options.target), { ...second, signal });
  } catch (error) {
    await sender?.abandon();
    throw error;
  }
  const fromOtherNode = async () =>
    relay(await openSender(), session, {
      size: source.size,
      changed: changedMeanwhile(source.path),
      onSent: (...sessions) => bothRead(source, ...sessions),
      onProgress: options.onProgress,
    });
  const cleanup = removeBeside(options.target.path, part);
  try {
    await session.expect('ready');
    const targetPath = await session.path();
    refuseOverlap(source, targetPath, options);
    const [[size, received, rights, ...counts], [sent, sentRights]] = onOneNode
      ? await Promise.all([session.expect('done'), session.sent()])
      : await diagnosed(sourceDeps, from, signal, fromOtherNode);
    if (Number(size) !== source.size || sent !== received) throw changedMeanwhile(source.path);
    if (rights !== sentRights) throw rightsDiffer(targetPath);
    const sha256 = session.matching(received, SHA256, 'a SHA-256');
    sender?.finish();
    // A directory that was replaced is removed.
    if (source.kind === 'directory') session.working(LOOK_LIMIT_MS);
    session.stdin.end(`${session.word}\n`);
    const [mode, fate] = await session.expect('published');
    session.finish();
    return {
      kind: source.kind,
      bytes: source.size,
      ...contentOf(source, session, counts),
      sha256,
      sourcePath: source.path,
      targetPath,
      permissions: session.matching(mode, /^[0-7]{1,4}$/, 'a mode'),
      uid: source.uid,
      gid: source.gid,
      overwritten: fate === 'replaced',
    };
  } catch (error) {
    const limitMs = source.kind === 'file' ? undefined : REMOVE_LIMIT_MS;
    await Promise.all([session.abandon(cleanup, limitMs), sender?.abandon()]);
    throw forCopy(error);
  }
}

/** What was copied, as counted on the disk of the target. */
function contentOf({ kind }: Source, session: TransferSession, counts: readonly string[]): CopiedContent {
  if (kind === 'file') return { files: 1, directories: 0, links: 0 };
  const [files = 0, directories = 0, links = 0] = counts.map((count) => session.number(count, MAX_ENTRIES));
  return { files, directories, links };
}

/** A directory cannot be copied into itself, and a copy must not replace what it is made of. */
function refuseOverlap({ path: from }: Source, to: string, { source, target }: CopyOptions): void {
  if (source.vmid !== target.vmid) return;
  const why =
    from === to
      ? 'is the source itself'
      : to.startsWith(`${from}/`)
        ? 'is inside the source'
        : from.startsWith(`${to}/`)
          ? 'contains the source'
          : undefined;
  if (why === undefined) return;
  throw new AppError(
    'INVALID_INPUT',
    `The target ${to} ${why}, ${from}. Nothing was copied.`,
    'Use a target outside of the source.',
  );
}

/** What to do if the target cannot have the modes and owners of the source. */
const NO_OWNERS =
  'An unprivileged container has only some user IDs, and some file systems (CIFS, exFAT, FUSE) have no owners and modes. Copy to a directory elsewhere and continue with `cp` there, or change the owner of the source.';

/** The programs reported success, but the file system of the target has other modes or owners than the source. */
function rightsDiffer(file: string): AppError {
  return new AppError(
    'TRANSFER_FAILED',
    `The modes or owners in ${file} differ from those of the source, so the copy was removed.`,
    NO_OWNERS,
  );
}

/** Mode and owner are those of the source, so no argument can be left out. */
function forCopy(error: unknown): unknown {
  if (
    !(error instanceof AppError) ||
    !/^The (permissions|owner or group) could not be set/.test(error.message)
  )
    return error;
  return new AppError(error.code, error.message, NO_OWNERS);
}

function changedMeanwhile(file: string): AppError {
  return new AppError(
    'FILE_CHANGED',
    `${file} changed while it was copied: the hashes of source and copy differ. The copy was removed.`,
    'The target was not changed. Call again while no program writes to the source.',
  );
}
