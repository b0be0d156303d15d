import { waitFor } from './attempts.ts';
import { signWith } from './passphrase.ts';
import { type ApprovalRequest, type ApprovalStore, signedText } from './request-store.ts';

export type Outcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'no passphrase set' }
  | { readonly kind: 'wrong passphrase' }
  /** Too many wrong passphrases: no attempt is accepted for this many ms. */
  | { readonly kind: 'wait'; readonly ms: number };

/**
 * Stores the answer to a request, with a signature over the whole request made from the passphrase.
 * @param now wall clock, ms
 */
export async function answerRequest(
  store: ApprovalStore,
  asked: ApprovalRequest,
  verdict: 'approve' | 'deny',
  passphrase: string,
  now: number,
): Promise<Outcome> {
  const outcome = await tryPassphrase(store, passphrase, signedText(asked, verdict, now), now);
  if (typeof outcome !== 'string') return outcome;
  await store.answer(asked.id, { verdict, answeredAt: now, signature: outcome });
  return { kind: 'answered' };
}

/** @returns the signature, or why it could not be created; wrong passphrases are counted */
export async function tryPassphrase(
  store: ApprovalStore,
  passphrase: string,
  text: string,
  now: number,
): Promise<string | Exclude<Outcome, { kind: 'answered' }>> {
  const hash = await store.passphrase();
  if (hash === undefined) return { kind: 'no passphrase set' };
  const made = await store.attempts();
  const ms = waitFor(made, now);
  if (ms > 0) return { kind: 'wait', ms };
  // Counted before the passphrase is checked, so that an interrupted attempt counts too.
  await store.setAttempts({ failures: made.failures + 1, lastAt: now });
  const signature = await signWith(passphrase, hash, text);
  if (signature === undefined) return { kind: 'wrong passphrase' };
  await store.setAttempts({ failures: 0, lastAt: now });
  return signature;
}
