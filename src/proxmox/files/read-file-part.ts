import { AppError } from '../../lib/errors.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { AttachTarget } from '../../remote/session-requests.ts';
import type { ReadOptions, ReadResult } from '../proxmox-types.ts';
import { checkRemotePath } from '../transfer/transfer-errors.ts';
import { type TransferDeps, TransferSession } from '../transfer/transfer-session.ts';
import { isBinary, presentBinary, presentText, type RawPart } from './present-part.ts';
import { readFacts } from './read-facts.ts';

/** A larger file is not read as a whole, so that a call costs what its part costs. */
const MAX_HASHED = 256 * 1024 * 1024;
/** UTF-8 bytes of a character, and of a UTF-16 unit. */
const MAX_BYTES_PER_CHARACTER = 4;
const MAX_BYTES_PER_UNIT = 3;
/** The head and tail of busybox fail at larger numbers. */
const MAX_LINE = 2 ** 31 - 1;
/** Lines and sizes of the far side. */
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Reads a part of a file and hashes the whole (see read-file.sh).
 * @throws AppError; CommandNotStarted if the script did not run
 */
export async function readFile(
  deps: TransferDeps,
  target: AttachTarget,
  options: ReadOptions,
): Promise<ReadResult> {
  checkRemotePath(options.path);
  // The bytes around the part are needed to find a secret that begins before it or ends after it.
  const context = deps.redactor.overlap * MAX_BYTES_PER_UNIT + MAX_BYTES_PER_CHARACTER;
  const most = options.characterLimit * MAX_BYTES_PER_CHARACTER + context;
  const line = Math.max(-MAX_LINE, Math.min(options.line ?? 1, MAX_LINE));
  const [unit, begin] = options.offset === undefined ? ['line', line] : ['byte', options.offset];
  const args = [options.path, unit, String(begin), String(most), String(context), String(MAX_HASHED)];
  const { signal } = options;
  const session = await TransferSession.open(deps, target, {
    script: SCRIPTS.readFile,
    args,
    signal,
    readsOnly: true,
  });
  try {
    let fields: readonly string[] = [];
    const facts = await readFacts(session, (more) => {
      fields = more;
    });
    const start = session.number(fields[0], facts.size);
    const before = session.number(fields[1], start);
    const chunks: Buffer[] = [];
    const { announced, received } = await session.data(most + context, (chunk) => {
      chunks.push(chunk);
      session.touch();
    });
    if (received < announced) throw changedWhileRead(facts.path);
    session.digesting(facts.size);
    const [sha256, lines] = await session.expect('done', changedWhileRead(facts.path));
    const hashed = sha256 !== '-';
    const part: RawPart = {
      bytes: Buffer.concat(chunks),
      before,
      start,
      size: facts.size,
      lines: hashed ? session.number(lines, MAX_NUMBER) : null,
    };
    const whole = hashed ? session.matching(sha256, SHA256, 'a SHA-256') : null;
    session.finish();
    return { ...facts, sha256: whole, ...(await present(part, deps, options)) };
  } catch (error) {
    await session.abandon();
    throw forReader(error);
  }
}

function present(part: RawPart, { redactor }: TransferDeps, options: ReadOptions) {
  const { encoding } = options;
  const binary = encoding === 'base64' || (encoding === undefined && isBinary(part, options));
  return binary ? presentBinary(part, options) : presentText(part, redactor, options);
}

function changedWhileRead(file: string): AppError {
  return new AppError(
    'FILE_CHANGED',
    `${file} became shorter while it was read, or it is a virtual file.`,
    'Call again. Read virtual files with `cat` instead.',
  );
}

/** Errors of transfers whose next step does not fit a reader. */
function forReader(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  if (error.code === 'IS_A_DIRECTORY') {
    return new AppError(
      error.code,
      error.message,
      'List it with `ls -la`, and read the files that you need.',
    );
  }
  return error;
}
