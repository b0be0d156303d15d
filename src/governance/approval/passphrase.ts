import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  scrypt,
  sign,
  verify,
} from 'node:crypto';

/** scrypt: N, r, p as OWASP recommends. Each attempt takes 64 MB and about half a second. */
const COST = { N: 2 ** 16, r: 8, p: 2 };
const MAX_MEMORY = 256 * 1024 * 1024;
/** The bytes before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Shorter passphrases are easy to guess. */
export const MIN_PASSPHRASE = 8;

/**
 * The stored form of a passphrase: a salt, and a public key whose private key scrypt derives from the passphrase. With it,
 * signatures can be verified but not created, and the passphrase can only be guessed.
 */
export interface PassphraseHash {
  readonly salt: string;
  readonly publicKey: string;
}

export async function hashPassphrase(passphrase: string): Promise<PassphraseHash> {
  const salt = randomBytes(16);
  const key = createPublicKey(await privateKeyOf(passphrase, salt));
  return { salt: salt.toString('base64'), publicKey: publicText(key) };
}

/** Signs with the passphrase. @returns undefined if the passphrase is wrong */
export async function signWith(
  passphrase: string,
  hash: PassphraseHash,
  text: string,
): Promise<string | undefined> {
  const key = await privateKeyOf(passphrase, Buffer.from(hash.salt, 'base64'));
  if (publicText(createPublicKey(key)) !== hash.publicKey) return undefined;
  return sign(null, Buffer.from(text), key).toString('base64');
}

export function isSigned(hash: PassphraseHash, text: string, signature: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(hash.publicKey, 'base64'), format: 'der', type: 'spki' });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

function privateKeyOf(passphrase: string, salt: Buffer): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    // Normalized, because keyboards produce different code points for the same character.
    scrypt(passphrase.normalize('NFKC'), salt, 32, { ...COST, maxmem: MAX_MEMORY }, (error, seed) => {
      if (error) reject(error);
      else resolve(createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' }));
    });
  });
}

function publicText(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).toString('base64');
}
