export interface UploadOptions {
  /** Absolute or relative to the first transfer directory; confined to the transfer directories. */
  readonly localPath: string;
  /** Absolute path in the container or on the host. */
  readonly remotePath: string;
  /** Three or four octal digits. Omitted: 644 for a new file, unchanged on overwrite. */
  readonly permissions?: string;
  readonly owner?: string;
  readonly group?: string;
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface DownloadOptions {
  readonly remotePath: string;
  readonly localPath: string;
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface TransferResult {
  readonly bytes: number;
  /** Lower-case hex, computed on both sides and compared. */
  readonly sha256: string;
  /** The actual paths: absolute, with symlinks resolved. */
  readonly localPath: string;
  readonly remotePath: string;
  /** Octal mode that the new file has, e.g. `644`. */
  readonly permissions: string;
  readonly overwritten: boolean;
}
