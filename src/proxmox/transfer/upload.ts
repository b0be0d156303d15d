import { randomBytes } from 'node:crypto';
import { AppError } from '../../lib/errors.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { AttachTarget } from '../../remote/session-requests.ts';
import type { TransferResult, UploadOptions } from '../proxmox-types.ts';
import { chunksOf, digestOf } from './read-chunks.ts';
import { refusePlaceholders } from './refuse-placeholders.ts';
import { removeBeside } from './remove-remote-files.ts';
import type { LocalSource } from './transfer-dirs.ts';
import { checkRemotePath, checksumMismatch, fileTooLarge, notAgreed } from './transfer-errors.ts';
import { type TransferDeps, TransferSession } from './transfer-session.ts';

/**
 * Sends a local file, verified and atomically (see upload.sh).
 * @throws AppError, after which the destination has its old content; CommandNotStarted if the script did not run
 */
export async function upload(
  deps: TransferDeps,
  target: AttachTarget,
  options: UploadOptions,
): Promise<TransferResult> {
  checkRemotePath(options.remotePath);
  checkOwner(options.owner);
  checkOwner(options.group);
  const source = await deps.dirs.openSource(options.localPath);
  try {
    const agreed = deps.precondition?.source ?? null;
    if (agreed !== null && agreed.bytes !== source.size) throw notAgreed(source.path);
    if (source.size > deps.maxFileSize) throw fileTooLarge(source.size, deps.maxFileSize);
    await refusePlaceholders(source);
    return await send(deps, target, source, options);
  } finally {
    await source.handle.close().catch(() => {});
  }
}

async function send(
  deps: TransferDeps,
  target: AttachTarget,
  source: LocalSource,
  options: UploadOptions,
): Promise<TransferResult> {
  const part = `.proxmox-mcp-${randomBytes(8).toString('hex')}.part`;
  const { remotePath, permissions = '', owner = '', group = '', overwrite } = options;
  const args = [
    remotePath,
    String(source.size),
    permissions,
    owner,
    group,
    overwrite ? '1' : '0',
    part,
    source.uploadMode,
  ];
  const session = await TransferSession.open(deps, target, {
    script: SCRIPTS.upload,
    args,
    signal: options.signal,
  });
  const cleanup = removeBeside(remotePath, part);
  try {
    await session.expect('ready');
    const destination = await session.path();
    // Read before the data is sent: if the remote side aborts during the transfer, it sends the reason here.
    const report = session.expect('done');
    report.catch(() => {});
    await pump(session, source, options, report);
    session.digesting(source.size);
    // Hashed while the remote side hashes its copy, which takes no extra time and detects a source that has changed.
    const [sha256, [size, remoteSha]] = await session.guard(
      Promise.all([digestOf(source, () => session.touch()), report]),
    );
    if (Number(size) !== source.size || remoteSha !== sha256) throw checksumMismatch(destination);
    const agreed = deps.precondition?.source ?? null;
    if (agreed !== null && agreed.sha256 !== sha256) throw notAgreed(source.path);
    session.stdin.end(`${session.word}\n`);
    const [mode, fate] = await session.expect('published');
    session.finish();
    return {
      bytes: source.size,
      sha256,
      localPath: source.path,
      remotePath: destination,
      permissions: session.matching(mode, /^[0-7]{1,4}$/, 'a mode'),
      overwritten: fate === 'replaced',
    };
  } catch (error) {
    await session.abandon(cleanup);
    throw error;
  }
}

/** Streams exactly the announced number of bytes. */
async function pump(
  session: TransferSession,
  source: LocalSource,
  options: UploadOptions,
  report: Promise<unknown>,
): Promise<void> {
  const { stdin } = session;
  let done = 0;
  for await (const chunk of chunksOf(source)) {
    done += chunk.length;
    const room = stdin.write(chunk);
    session.touch();
    options.onProgress?.(done, source.size);
    if (room) continue;
    const drained = new Promise<void>((resolve) => stdin.once('drain', resolve));
    await session.guard(Promise.race([drained, report]));
    session.touch();
  }
}

/** chown accepts several forms. A value that begins with "-" or contains ":" would have a different meaning. */
function checkOwner(name: string | undefined): void {
  if (name === undefined || /^(\d{1,10}|[A-Za-z_][\w.@-]{0,63}\$?)$/.test(name)) return;
  throw new AppError(
    'INVALID_INPUT',
    `${JSON.stringify(name)} is not a valid user or group.`,
    'Use a name or a number, such as www-data or 33.',
  );
}
