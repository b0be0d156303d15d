import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '../../lib/errors.ts';
import { firstOf } from '../../lib/waits.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { AttachTarget } from '../../remote/session-requests.ts';
import type { EditOptions, EditResult, FileFacts, Validation } from '../proxmox-types.ts';
import { checkRemotePath, checksumMismatch } from '../transfer/transfer-errors.ts';
import { type TransferDeps, TransferSession } from '../transfer/transfer-session.ts';
import { applyDiff } from './apply-diff.ts';
import { applyEdits, MAX_EDITED, tooLarge } from './apply-edits.ts';
import { readFacts } from './read-facts.ts';
import { showDiff } from './show-diff.ts';
import { placeIn, validationCommand } from './validation-command.ts';

/** After the time limit of the validation, for the script to kill it and to restore the file. */
const VALIDATE_GRACE_MS = 5_000;
/** The exit code of a command that was killed by KILL, as the script does at the limit. */
const KILLED = 137;
/** Bytes of the validation's output that the script sends. */
const MAX_OUTPUT = 8_000;
/** Puts back $2 as $3 where it exists, and removes $1. */
const UNDO = 'if [ -e "$2" ]; then mv -f -- "$2" "$3"; fi; rm -f -- "$1" "$2"';

/**
 * Edits a file in place: reads it, applies the changes here, and replaces it atomically (see edit-file.sh).
 * @throws AppError, after which the file has its old content; CommandNotStarted if the script did not run
 */
export async function editFile(
  deps: TransferDeps,
  target: AttachTarget,
  options: EditOptions,
): Promise<EditResult> {
  checkRemotePath(options.path);
  const name = `.proxmox-mcp-${randomBytes(8).toString('hex')}`;
  const args = [options.path, String(Math.min(MAX_EDITED, deps.maxFileSize)), name];
  const { signal } = options;
  const session = await TransferSession.open(deps, target, { script: SCRIPTS.editFile, args, signal });
  let cleanup: readonly string[] | undefined;
  try {
    const { facts, content, sha256 } = await receive(session);
    refuseUnreadableName(facts);
    refuseUnexpected(facts, sha256, options);
    const changed =
      options.diff === undefined
        ? applyEdits(content, options.edits ?? [])
        : applyDiff(content, options.diff);
    const shown = await session.guard(showDiff(content, changed, deps.redactor, options.characterLimit));
    const base = { ...facts, sha256Before: sha256, diff: shown };
    if (changed.equals(content)) {
      await session.abandon();
      return { ...base, sha256, changed: false, validation: null, attributes: 'kept' };
    }
    const paths = pathsOf(facts.path, name);
    const command = validationCommand(options.validate ?? '', paths.part);
    cleanup = ['/bin/sh', '-c', UNDO, 'sh', paths.part, paths.old, facts.path];
    const ends = await publish(session, { facts, changed, command, options });
    session.finish();
    return { ...base, ...ends, size: changed.length, changed: true };
  } catch (error) {
    await session.abandon(cleanup);
    throw forEditor(error, Number(args[1]));
  }
}

/** Errors of transfers whose text does not fit an edit. */
function forEditor(error: unknown, limit: number): unknown {
  if (!(error instanceof AppError)) return error;
  const { code, message } = error;
  if (code === 'IS_A_DIRECTORY') return new AppError(code, message, 'Use the path of a file in it.');
  if (code === 'NOT_A_REGULAR_FILE') {
    return new AppError(
      code,
      message.replace('so it cannot be transferred and verified', 'so it cannot be replaced'),
      'Write to it with a command, such as `echo VALUE > FILE`.',
    );
  }
  const size = code === 'FILE_TOO_LARGE' ? /has (\d+) bytes/.exec(message)?.[1] : undefined;
  return size === undefined ? error : tooLarge('has', size, limit);
}

/** The file as it is: what is edited is what the far side has hashed. */
async function receive(session: TransferSession) {
  const facts = await readFacts(session);
  const chunks: Buffer[] = [];
  const { announced, received } = await session.data(MAX_EDITED, (chunk) => {
    chunks.push(chunk);
    session.touch();
  });
  const content = Buffer.concat(chunks);
  session.same(announced, facts.size);
  if (received < announced) throw changedMeanwhile(facts.path);
  const [sent] = await session.expect('done');
  const sha256 = hashOf(content);
  if (sent !== sha256) throw changedMeanwhile(facts.path);
  return { facts, content, sha256 };
}

/** The target of a link may have such a name, which cannot be put into a command. */
function refuseUnreadableName({ path }: FileFacts): void {
  if (!path.includes('\ufffd')) return;
  throw new AppError(
    'PATH_INVALID',
    `The file is ${path}, whose name is not valid UTF-8. The file was not changed.`,
    'Change it with a command, or rename it first.',
  );
}

function refuseUnexpected({ path, links }: FileFacts, sha256: string, options: EditOptions): void {
  if (options.expectedSha256 !== undefined && options.expectedSha256.toLowerCase() !== sha256) {
    throw new AppError(
      'FILE_CHANGED',
      `${path} has the SHA-256 ${sha256}, not the expected one: it was changed since it was read. The file was not changed by this call.`,
      'Read it again with proxmox_read_file, and adapt the changes to its current content.',
    );
  }
  if (links > 1) {
    throw new AppError(
      'EDIT_FAILED',
      `${path} has ${links} hard links, of which an edit would replace one only. The file was not changed.`,
      'Change it with a command that writes to the file itself, such as `cat NEW > FILE`, or ask the user which of the links to edit.',
    );
  }
}

/** The names of the temporary file and of the old file, as the script makes them. */
function pathsOf(file: string, name: string) {
  const at = file.lastIndexOf('/');
  const dir = file.slice(0, at);
  const [, suffix = ''] = /^..*(\.[A-Za-z0-9_-]+)$/s.exec(file.slice(at + 1)) ?? [];
  const kept = suffix.length <= 64 ? suffix : '';
  return { part: `${dir}/${name}.part${kept}`, old: `${dir}/${name}.old` };
}

interface Publication {
  readonly facts: FileFacts;
  readonly changed: Buffer;
  readonly command: string;
  readonly options: EditOptions;
}

async function publish(session: TransferSession, { facts, changed, command, options }: Publication) {
  const { validate, validateLimitS } = options;
  const when = validate === undefined ? 'none' : placeIn(validate) ? 'before' : 'after';
  const { stdin } = session;
  stdin.write(`${changed.length} ${Buffer.byteLength(command)} ${validateLimitS} ${when}\n`);
  stdin.write(changed);
  const sha256 = hashOf(changed);
  const [stored] = await session.expect('done');
  if (stored !== sha256) throw checksumMismatch(facts.path);
  stdin.end(`${session.word}\n${command}`);
  const validation =
    when === 'none' ? null : await validated(session, { when, file: facts.path, limitS: validateLimitS });
  const [mode, attributes] = await session.expect('published');
  return {
    sha256,
    validation,
    mode: session.matching(mode, /^[0-7]{1,4}$/, 'a mode'),
    attributes: attributesOf(attributes),
  };
}

function attributesOf(word: string | undefined): EditResult['attributes'] {
  return word === 'kept' || word === 'lost' ? word : 'unknown';
}

async function validated(
  session: TransferSession,
  { when, file, limitS }: { when: 'before' | 'after'; file: string; limitS: number },
): Promise<Validation> {
  const limitMs = limitS * 1000;
  session.working(2 * (limitMs + VALIDATE_GRACE_MS));
  const since = performance.now();
  const fields = await firstOf(session.expect('validated'), limitMs + VALIDATE_GRACE_MS, undefined);
  if (fields === 'timeout' || fields === 'cancelled') throw validationTimeout(file, limitS);
  const exitCode = session.number(fields[0], 255);
  const chunks: Buffer[] = [];
  await session.data(MAX_OUTPUT, (chunk) => {
    chunks.push(chunk);
  });
  const output = Buffer.concat(chunks).toString('utf8').trim();
  if (exitCode === 0) return { when, exitCode, output };
  session.leavesProcesses();
  await session.expect('kept');
  if (exitCode === KILLED && performance.now() - since >= limitMs) {
    throw validationTimeout(file, limitS, output);
  }
  throw new AppError(
    'VALIDATION_FAILED',
    `\`validate\` ended with exit code ${exitCode}. ${
      when === 'before'
        ? `It ran before the file was replaced, so ${file} was not changed.`
        : `It ran after the file was replaced, and ${file} has been restored.`
    }`,
    'Correct the change as the output of the command says, and call again.',
    output === '' ? {} : { stderr: output },
  );
}

function validationTimeout(file: string, limitS: number, output = ''): AppError {
  return new AppError(
    'TIMEOUT',
    `\`validate\` did not end within ${limitS} s, and was killed. ${file} has its old content.`,
    'Use a command that ends by itself, or edit without `validate` and check the file with a later call.',
    output === '' ? {} : { stderr: output },
  );
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function changedMeanwhile(file: string): AppError {
  return new AppError(
    'FILE_CHANGED',
    `${file} changed while it was read. The file was not changed by this call.`,
    'Call again while no program writes to the file.',
  );
}
