import { access, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { writeFileAtomically } from '../../lib/atomic-file.ts';
import { ensurePrivateDir } from '../../lib/private-files.ts';
import type { PassphraseHash } from './passphrase.ts';

const request = z.object({
  /** 32 hex digits; people type the first eight. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  call: z.string(),
  target: z.string(),
  source: z.object({ bytes: z.number(), sha256: z.string() }).nullable(),
  tool: z.string(),
  caller: z.string(),
  /** The complete question that the person sees, as the server wrote it. */
  question: z.string(),
  /** Wall clock, ms. */
  askedAt: z.number(),
  ttlMs: z.number(),
});

const answer = z.object({
  verdict: z.enum(['approve', 'deny']),
  answeredAt: z.number(),
  signature: z.string(),
});

const passphrase = z.object({ salt: z.string(), publicKey: z.string() });
const attempts = z.object({ failures: z.number(), lastAt: z.number() });

/** A call that waits for approval at a terminal. */
export type ApprovalRequest = Readonly<z.output<typeof request>>;
export type ApprovalAnswer = Readonly<z.output<typeof answer>>;
export type Attempts = Readonly<z.output<typeof attempts>>;

/** The text that is signed: the complete request and the verdict. */
export function signedText(asked: ApprovalRequest, verdict: string, answeredAt: number): string {
  const { id, call, target, source, tool, caller, question, askedAt, ttlMs } = asked;
  return JSON.stringify([
    id,
    call,
    target,
    source,
    tool,
    caller,
    question,
    askedAt,
    ttlMs,
    verdict,
    answeredAt,
  ]);
}

/**
 * Requests and answers as files in STATE_DIR/approvals, readable only by their owner. Files are written atomically.
 */
export class ApprovalStore {
  readonly #dir: string;

  constructor(stateDir: string) {
    this.#dir = path.join(stateDir, 'approvals');
  }

  /** All readable requests, oldest first. */
  async list(): Promise<ApprovalRequest[]> {
    const names = await readdir(this.#dir).catch(() => []);
    const ids = names.flatMap((name) => /^([0-9a-f]{32})\.request\.json$/.exec(name)?.[1] ?? []);
    const read = await Promise.all(ids.map((id) => this.#read(`${id}.request.json`, request)));
    return read.flatMap((each) => each ?? []).sort((a, b) => a.askedAt - b.askedAt);
  }

  add(asked: ApprovalRequest): Promise<void> {
    return this.#write(`${asked.id}.request.json`, asked);
  }

  answerTo(id: string): Promise<ApprovalAnswer | undefined> {
    return this.#read(`${id}.answer.json`, answer);
  }

  answer(id: string, given: ApprovalAnswer): Promise<void> {
    return this.#write(`${id}.answer.json`, given);
  }

  async remove(id: string): Promise<void> {
    for (const kind of ['answer', 'request'])
      await rm(path.join(this.#dir, `${id}.${kind}.json`), { force: true });
  }

  passphrase(): Promise<PassphraseHash | undefined> {
    return this.#read('passphrase.json', passphrase);
  }

  /** Also true if the file cannot be read: then no call can be approved, and no other approver must be used instead. */
  async hasPassphrase(): Promise<boolean> {
    try {
      await access(path.join(this.#dir, 'passphrase.json'));
      return true;
    } catch (error) {
      return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
    }
  }

  setPassphrase(hash: PassphraseHash): Promise<void> {
    return this.#write('passphrase.json', hash);
  }

  /** The number of consecutive wrong passphrases. */
  async attempts(): Promise<Attempts> {
    return (await this.#read('attempts.json', attempts)) ?? { failures: 0, lastAt: 0 };
  }

  setAttempts(made: Attempts): Promise<void> {
    return this.#write('attempts.json', made);
  }

  async #read<T>(name: string, shape: z.ZodType<T>): Promise<T | undefined> {
    try {
      const parsed = shape.safeParse(JSON.parse(await readFile(path.join(this.#dir, name), 'utf8')));
      return parsed.success ? parsed.data : undefined;
    } catch {
      return undefined; // missing or not written by this program, so it does not count
    }
  }

  async #write(name: string, value: object): Promise<void> {
    await ensurePrivateDir(path.dirname(this.#dir));
    await ensurePrivateDir(this.#dir);
    await writeFileAtomically(path.join(this.#dir, name), `${JSON.stringify(value)}\n`, 0o600);
  }
}
