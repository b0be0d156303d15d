import { randomBytes } from 'node:crypto';
import { bothPreconditions } from '../../remote/precondition.ts';
import { CommandNotStarted } from '../../remote/remote-errors.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { type AttachTarget, attachCommand, newNonce, shellArgv } from '../../remote/session-requests.ts';
import { isNotConnected } from '../../ssh/pool-errors.ts';
import { withReachedLimit } from '../exec/reached-limit.ts';
import { diagnoseContainer, diagnoseHost } from '../inventory/diagnose.ts';
import { NodeUnavailable } from '../nodes/node-unavailable.ts';
import type { CopiedContent, CopyEnd, CopyOptions, CopyResult } from '../proxmox-types.ts';
import { relay } from '../transfer/relay.ts';
import { removeBeside } from '../transfer/remove-remote-files.ts';
import { checkRemotePath } from '../transfer/transfer-errors.ts';
import { type TransferDeps, TransferSession } from '../transfer/transfer-session.ts';
import { changedMeanwhile, forCopy, refuseOverlap, rightsDiffer } from './copy-errors.ts';
import { argvOf, type Half, receivingHalf, sendingHalf } from './copy-halves.ts';
import { type CopySource, LOOK_LIMIT_MS, lookAtSource } from './copy-source.ts';

/** To remove a directory with many files, in ms. */
const REMOVE_LIMIT_MS = 5 * 60_000;
/** More than any file system has. */
const MAX_ENTRIES = Number.MAX_SAFE_INTEGER;
const SHA256 = /^[0-9a-f]{64}$/;

/** One side of a copy. */
export interface CopyDeps extends TransferDeps {
  /** The node of this side, if the other side is on another node; otherwise null. */
  readonly node: string | null;
}

/**
 * Copies a file or a directory from one container to another, or between a container and a node. The two halves are programs
 * of their own that know nothing of each other. On one node they are connected by a pipe that carries only bytes (see copy.sh).
 * On different nodes they are two sessions, and the server passes on the bytes. Both sides hash what is on their disk, and the
 * copy is published only if the hashes are equal.
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

/** Starts both halves on one node. The session is that of the second half. */
async function openBoth(
  sourceDeps: CopyDeps,
  deps: CopyDeps,
  { source, second, options }: { source: CopySource; second: Half; options: CopyOptions },
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
    onProgress: (bytes) => {
      options.onProgress?.(Math.min(bytes, source.size), source.size);
      // Both sides then read what is on their disk, and report nothing meanwhile.
      if (bytes >= source.size) bothRead(source, session);
    },
  });
  return session;
}

/** Both sides now read what is on their disk. That of many small files takes longer than their bytes. */
function bothRead({ kind, size }: CopySource, ...sessions: TransferSession[]): void {
  for (const session of sessions) {
    if (kind === 'file') session.digesting(size);
    else session.working(LOOK_LIMIT_MS);
  }
}

async function send(
  sourceDeps: CopyDeps,
  deps: CopyDeps,
  source: CopySource,
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
function contentOf({ kind }: CopySource, session: TransferSession, counts: readonly string[]): CopiedContent {
  if (kind === 'file') return { files: 1, directories: 0, links: 0 };
  const [files = 0, directories = 0, links = 0] = counts.map((count) => session.number(count, MAX_ENTRIES));
  return { files, directories, links };
}
