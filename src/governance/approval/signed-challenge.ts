import { createRequestStateCodec, type ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { FileDigest } from '../../remote/remote-types.ts';
import type { ApprovalScope } from './approval-scope.ts';

/** The state that the client receives with a question and returns with the answer. Signed, not secret. */
export interface SignedChallenge extends ApprovalScope {
  /** The id of the resulting approval: 32 hex digits. */
  readonly id: string;
  /** Wall clock, ms. */
  readonly askedAt: number;
  readonly source: FileDigest | null;
}

const shape = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  askedAt: z.number(),
  call: z.string(),
  target: z.string(),
  source: z.object({ bytes: z.number(), sha256: z.string() }).nullable(),
});

/** The codec's own limit, longer than any expiry: ExpiryTimes decides whether a challenge has expired. */
const CODEC_TTL_S = 86_400;

/** Signs challenges with the key that all replicas share. */
export class ChallengeSigner {
  readonly #key: () => Promise<Uint8Array>;

  constructor(key: () => Promise<Uint8Array>) {
    this.#key = key;
  }

  async issue(challenge: SignedChallenge): Promise<string> {
    return (await this.#codec()).mint(challenge);
  }

  /** @returns undefined if the signature was created with another key, or more than a day ago */
  async read(state: string, ctx: ServerContext): Promise<SignedChallenge | undefined> {
    const codec = await this.#codec();
    const payload = await codec.verify(state, ctx).catch(() => undefined);
    const parsed = shape.safeParse(payload);
    return parsed.success ? parsed.data : undefined;
  }

  async #codec() {
    return createRequestStateCodec<SignedChallenge>({ key: await this.#key(), ttlSeconds: CODEC_TTL_S });
  }
}
