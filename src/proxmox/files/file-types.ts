import type { Precondition } from '../../remote/remote-types.ts';

/** A file as `stat` shows it. */
export interface FileFacts {
  /** Absolute, with symlinks resolved. */
  readonly path: string;
  readonly size: number;
  /** Octal, e.g. `644`. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** The name, or the number if there is no name. */
  readonly owner: string;
  readonly group: string;
  /** Hard links. */
  readonly links: number;
}

export interface ReadOptions {
  /** Absolute path. */
  readonly path: string;
  /** The first line, from 1; a negative number counts from the end. Default: 1. */
  readonly line?: number | undefined;
  readonly lines?: number | undefined;
  /** The first byte, from 0, in place of a line; a negative number counts from the end. */
  readonly offset?: number | undefined;
  readonly bytes?: number | undefined;
  /** Default: base64 if the part contains a NUL byte. */
  readonly encoding?: 'text' | 'base64' | undefined;
  readonly characterLimit: number;
  readonly signal: AbortSignal;
}

/** A part of a file, redacted. */
export interface ReadPart {
  /** `latin1`: the part is not valid UTF-8. */
  readonly encoding: 'utf-8' | 'latin1' | 'base64';
  readonly content: string;
  /** Offsets of the first byte and of the byte after the last. */
  readonly start: number;
  readonly end: number;
  /** null where the number is not known. */
  readonly firstLine: number | null;
  readonly lastLine: number | null;
  readonly totalLines: number | null;
  readonly redacted: number;
  /** Where to continue; null at the end of the file. */
  readonly next: { readonly line: number } | { readonly offset: number } | null;
}

export interface ReadResult extends FileFacts, ReadPart {
  /** Of the whole file; null if it is too large. */
  readonly sha256: string | null;
}

/** An exact replacement in a file. */
export interface Replacement {
  readonly old: string;
  readonly new: string;
  /** Replaces every occurrence; otherwise there must be exactly one. */
  readonly replaceAll: boolean;
}

export interface EditOptions {
  /** Absolute path of a file that exists. */
  readonly path: string;
  /** Either these or a diff. */
  readonly edits?: readonly Replacement[] | undefined;
  readonly diff?: string | undefined;
  /** Lower- or upper-case hex; refuses any other content. */
  readonly expectedSha256?: string | undefined;
  /** A command that must succeed; `{}` stands for the new file before it replaces the old one. */
  readonly validate?: string | undefined;
  /** Seconds after which the command is killed and the file restored. */
  readonly validateLimitS: number;
  readonly characterLimit: number;
  readonly signal: AbortSignal;
}

export interface Validation {
  /** Before the file was replaced, or after. */
  readonly when: 'before' | 'after';
  readonly exitCode: number;
  readonly output: string;
}

/** The facts are those of the new file. */
export interface EditResult extends FileFacts {
  readonly changed: boolean;
  readonly sha256Before: string;
  readonly sha256: string;
  readonly diff: {
    /** Unified and redacted. */
    readonly text: string;
    readonly added: number;
    readonly removed: number;
    readonly cut: boolean;
  };
  readonly validation: Validation | null;
  /** Extended attributes and ACLs; `unknown` where no program in the container shows them. */
  readonly attributes: 'kept' | 'lost' | 'unknown';
}

/** One side of a copy. */
export interface CopyEnd {
  /** null: the node itself. */
  readonly vmid: number | null;
  /** Absolute. */
  readonly path: string;
  readonly precondition: Precondition | null;
}

export interface CopyOptions {
  readonly source: CopyEnd;
  readonly target: CopyEnd;
  readonly overwrite: boolean;
  /** Also copies a directory, with everything in it. */
  readonly recursive: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** What a copy consists of. A directory that is copied counts. */
export interface CopiedContent {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
}

export interface CopyResult extends CopiedContent {
  readonly kind: 'file' | 'directory';
  /** Of the file, or of the tar stream of a directory. */
  readonly bytes: number;
  /** Of the file; of names and contents of a directory. Computed on both sides and compared. */
  readonly sha256: string;
  /** With symlinks resolved. */
  readonly sourcePath: string;
  readonly targetPath: string;
  readonly permissions: string;
  readonly uid: number;
  readonly gid: number;
  readonly overwritten: boolean;
}
