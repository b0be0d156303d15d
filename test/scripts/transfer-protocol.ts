import { createHash } from 'node:crypto';
import type { Bench } from './cases.ts';
import type { Program, StartOptions } from './machine.ts';
import { NONCE } from './protocol.ts';

/** Name of the temporary file of an upload. */
export const PART = '.proxmox-mcp-test.part';

export interface UploadRequest {
  readonly destination: string;
  readonly data: Buffer;
  /** The announced size; by default that of the data. */
  readonly size?: number;
  readonly mode?: string;
  /** The mode of a new file if no mode is requested. */
  readonly newMode?: string;
  readonly owner?: string;
  readonly group?: string;
  readonly overwrite?: boolean;
  readonly options?: StartOptions;
}

/** What a case does at each stage of an upload. */
export interface UploadSteps {
  /** Sends the data; by default all of it. */
  readonly send?: (program: Program) => Promise<void>;
  readonly beforeData?: () => Promise<void>;
  readonly beforeVerdict?: (report: Digest) => Promise<void>;
  /** The sender's answer to the digest: right, wrong, or none before the end of the input. */
  readonly verdict?: 'right' | 'wrong' | 'none';
}

export interface Digest {
  readonly size: number;
  readonly sha256: string;
}

export type Refusal = {
  readonly kind: 'refused';
  readonly why: string;
  readonly text: string;
  readonly stage: 'before data' | 'after data';
};

export type UploadOutcome =
  | Refusal
  /** The script ended without a result. */
  | { readonly kind: 'ended' }
  | (Digest & {
      readonly kind: 'published';
      readonly destination: string;
      readonly mode: string;
      readonly replaced: boolean;
    });

/** Runs upload.sh as the sender does. */
export async function upload(
  bench: Bench,
  request: UploadRequest,
  steps: UploadSteps = {},
): Promise<UploadOutcome> {
  const {
    destination,
    data,
    size = data.length,
    mode = '',
    newMode = '644',
    owner = '',
    group = '',
    overwrite = true,
  } = request;
  const args = [NONCE, destination, String(size), mode, owner, group, overwrite ? '1' : '0', PART, newMode];
  const program = bench.machine.start(bench.scripts.upload, args, request.options);
  const reader = new Reader(program);
  try {
    const ready = await reader.message('before data');
    if (ready.kind !== 'said') return ready;
    const path = (await reader.data()).toString();
    await steps.beforeData?.();
    if (steps.send === undefined) program.send(data);
    else await steps.send(program);
    const done = await reader.message('after data');
    if (done.kind !== 'said') return done;
    const report = { size: Number(done.fields[0]), sha256: done.fields[1] ?? '' };
    await steps.beforeVerdict?.(report);
    const { verdict = 'right' } = steps;
    if (verdict !== 'none') program.send(verdict === 'right' ? `${NONCE}\n` : 'no\n');
    program.endInput();
    const published = await reader.message('after data');
    if (published.kind !== 'said') return published;
    const [newMode = '', fate] = published.fields;
    return { kind: 'published', destination: path, ...report, mode: newMode, replaced: fate === 'replaced' };
  } finally {
    program.endInput();
    await program.closed;
  }
}

export type DownloadOutcome =
  | Refusal
  | { readonly kind: 'ended' }
  | (Digest & {
      readonly kind: 'sent';
      readonly source: string;
      readonly mode: string;
      readonly data: Buffer;
    });

/** Runs download.sh as the receiver does. */
export async function download(
  bench: Bench,
  source: string,
  {
    limit = 1e9,
    afterReady,
    options,
  }: {
    readonly limit?: number;
    readonly afterReady?: () => Promise<void>;
    readonly options?: StartOptions;
  } = {},
): Promise<DownloadOutcome> {
  const program = bench.machine.start(bench.scripts.download, [NONCE, source, String(limit)], options);
  const reader = new Reader(program);
  try {
    const ready = await reader.message('before data');
    if (ready.kind !== 'said') return ready;
    await afterReady?.();
    const [sizeField, mode = ''] = ready.fields;
    const size = Number(sizeField);
    const path = (await reader.data()).toString();
    const data = await reader.data();
    const done = await reader.message('after data');
    if (done.kind !== 'said') return done;
    return { kind: 'sent', source: path, size, mode, data, sha256: done.fields[0] ?? '' };
  } finally {
    program.endInput();
    await program.closed;
  }
}

export function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

type Message =
  | Refusal
  | { readonly kind: 'ended' }
  | { readonly kind: 'said'; readonly fields: readonly string[] };

/** Reads stdout alternately as lines and as counted bytes. */
export class Reader {
  readonly #program: Program;
  #at = 0;

  constructor(program: Program) {
    this.#program = program;
  }

  async message(stage: Refusal['stage']): Promise<Message> {
    const line = await this.#line();
    if (line === undefined) return { kind: 'ended' };
    const [word, kind, ...fields] = line.split(' ');
    if (word !== NONCE) throw new Error(`not a message: ${line}`);
    if (kind === 'began') return this.message(stage);
    if (kind !== 'failed') return { kind: 'said', fields };
    return { kind: 'refused', why: fields[0] ?? '', text: fields.slice(1).join(' '), stage };
  }

  /** The bytes of a data frame. */
  async data(): Promise<Buffer> {
    const [word, kind, length] = (await this.#line())?.split(' ') ?? [];
    if (word !== NONCE || kind !== 'data') throw new Error(`not data: ${word} ${kind}`);
    return this.bytes(Number(length));
  }

  async bytes(count: number): Promise<Buffer> {
    await this.#program.until(() => this.#program.stdout.length >= this.#at + count);
    const bytes = this.#program.stdout.subarray(this.#at, this.#at + count);
    this.#at += bytes.length;
    return bytes;
  }

  async #line(): Promise<string | undefined> {
    const end = () => this.#program.stdout.indexOf('\n', this.#at);
    await this.#program.until(() => end() >= 0);
    if (end() < 0) return undefined;
    const line = this.#program.stdout.toString('utf8', this.#at, end());
    this.#at = end() + 1;
    return line;
  }
}
