import { FileError } from '../files/inode.ts';
import type { FdTable, OpenFile } from '../kernel/open-file.ts';
import { Pipe } from '../kernel/pipe.ts';
import type { Expander } from './expand.ts';
import type { Shell } from './posix-shell.ts';
import { RedirectionError, ShellError } from './shell-errors.ts';
import type { Redirection } from './syntax-tree.ts';

/** The descriptors before redirections. */
export class SavedDescriptors {
  readonly #fds: FdTable;
  readonly #saved: { fd: number; file: OpenFile | undefined; close: () => void }[] = [];

  constructor(fds: FdTable) {
    this.#fds = fds;
  }

  save(fd: number): void {
    const file = this.#fds.find(fd);
    this.#saved.push({ fd, file, close: file === undefined ? () => {} : this.#fds.keep(file) });
  }

  restore(): void {
    for (const { fd, file, close } of this.#saved.splice(0).reverse()) {
      if (file) this.#fds.set(fd, file);
      else this.#fds.close(fd);
      close();
    }
  }

  /** Keeps the redirections, so nothing is restored. */
  forget(): void {
    for (const { close } of this.#saved.splice(0)) close();
  }
}

/** Applies redirections in order. @throws RedirectionError if one fails; those before it are reverted */
export async function redirect(
  shell: Shell,
  expander: Expander,
  redirections: readonly Redirection[],
): Promise<SavedDescriptors> {
  const { fds } = shell.process;
  const saved = new SavedDescriptors(fds);
  try {
    for (const each of redirections) {
      const change = await prepare(shell, expander, each);
      saved.save(each.fd);
      if (change === 'close') fds.close(each.fd);
      else {
        fds.set(each.fd, change);
        change.release();
      }
    }
  } catch (error) {
    saved.restore();
    throw error;
  }
  return saved;
}

/** The target of a redirection, opened once. */
async function prepare(
  shell: Shell,
  expander: Expander,
  redirection: Redirection,
): Promise<OpenFile | 'close'> {
  const { operator, target } = redirection;
  if (operator === '<<') return document(await expander.text(target));
  const name = await expander.text(target);
  if (operator === '<&' || operator === '>&') return duplicate(shell, name);
  try {
    return (await open(shell, operator, name)).retain();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new RedirectionError(explain(shell, error, name, operator === '<' ? 'open' : 'create'));
  }
}

async function open(shell: Shell, operator: Redirection['operator'], name: string): Promise<OpenFile> {
  const { sys } = shell;
  switch (operator) {
    case '<':
      return sys.open(name, { reads: true });
    case '<>':
      return sys.open(name, { reads: true, writes: true, create: true });
    case '>>':
      return sys.open(name, { writes: true, create: true, append: true });
    default: {
      const careful = operator === '>' && shell.options.C;
      const found = careful ? await sys.find(name) : undefined;
      if (found?.kind === 'file') throw new FileError('EEXIST', 'open', name);
      return sys.open(name, { writes: true, create: true, truncate: true, exclusive: careful && !found });
    }
  }
}

function duplicate(shell: Shell, name: string): OpenFile | 'close' {
  if (name === '-') return 'close';
  if (!/^\d$/.test(name)) throw new ShellError(`Syntax error: Bad fd number`);
  const file = shell.process.fds.find(Number(name));
  if (!file) throw new RedirectionError(`${name}: Bad file descriptor`);
  return file.retain();
}

/** A here-document is a pipe that contains the whole text, whatever its length. */
function document(text: string): OpenFile {
  const { reader, writer } = Pipe.make();
  reader.retain();
  writer.retain();
  reader.unread(Buffer.from(text, 'latin1'));
  writer.release();
  return reader;
}

const DASH: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  open: { ENOENT: 'No such file', ENOTDIR: 'No such file' },
  create: { ENOENT: 'Directory nonexistent', ENOTDIR: 'Directory nonexistent' },
};

function explain(shell: Shell, error: FileError, name: string, action: 'open' | 'create'): string {
  if (shell.dialect === 'bash') {
    const exists = error.code === 'EEXIST' ? 'cannot overwrite existing file' : error.text;
    return `${name}: ${exists}`;
  }
  const text = DASH[action]?.[error.code] ?? error.text;
  if (shell.dialect === 'dash') return `cannot ${action} ${name}: ${text}`;
  return `can't ${action} ${name}: ${text === 'Directory nonexistent' ? 'nonexistent directory' : text.toLowerCase() === 'no such file' ? 'no such file' : text}`;
}
