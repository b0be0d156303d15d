import { writeFileSync } from 'node:fs';
import path from 'node:path';
import ssh2 from 'ssh2';

/** Key files for a client. */
export interface ClientKeys {
  readonly plain: string;
  readonly encrypted: string;
  readonly passphrase: string;
}

/** Writes an encrypted private key next to a plain one. @returns its public key */
export function makeEncryptedKey(plain: string): { keys: ClientKeys; publicKey: string } {
  const passphrase = 'correct horse';
  const encrypted = path.join(path.dirname(plain), 'id_encrypted');
  // Not Ed25519: in about one of a hundred pairs of ssh2, the keys do not match.
  const pair = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256, passphrase, cipher: 'aes256-ctr' });
  writeFileSync(encrypted, pair.private, { mode: 0o600 });
  return { keys: { plain, encrypted, passphrase }, publicKey: pair.public };
}
