import { hashPassphrase, MIN_PASSPHRASE } from '../../../governance/approval/passphrase.ts';
import type { ApprovalStore } from '../../../governance/approval/request-store.ts';
import { askSecret } from '../../output/ask.ts';

/**
 * Asks for a new approval passphrase until it is long enough and typed the same twice, then stores its verifier.
 * @throws PromptCancelled
 */
export async function askNewPassphrase(store: ApprovalStore, message: string): Promise<void> {
  for (let question = message; ; ) {
    const passphrase = await askSecret(question);
    if (passphrase.length < MIN_PASSPHRASE) {
      question = `At least ${MIN_PASSPHRASE} characters. ${message}`;
      continue;
    }
    if ((await askSecret('Repeat the passphrase')) === passphrase) {
      await store.setPassphrase(await hashPassphrase(passphrase));
      return;
    }
    question = `The passphrases differ. ${message}`;
  }
}
