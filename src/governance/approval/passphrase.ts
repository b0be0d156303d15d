import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  scrypt,
  sign,
  verify,
} from 'node:crypto';

/** scrypt: N, r, p as OWASP recommends; 64 MB and about half a second, here and for whoever guesses. */
const COST = { N: 2 ** 16, r: 8, p: 2 };
const MAX_MEMORY = 256 * 1024 * 1024;
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Short ones are guessed; what people remember is longer than they think. */
export const MIN_PASSPHRASE = 8;

/**
 * What is kept of a passphrase: a salt, and the public key whose private half scrypt makes of the passphrase. Nobody can
 * get from here to the passphrase but by guessing, and who can read it can check a signature, but not make one.
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

/** Signs with the passphrase. @returns undefined when it is not the one of the hash */
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
    // One form for what looks the same, whichever keyboard it was typed on.
    scrypt(passphrase.normalize('NFKC'), salt, 32, { ...COST, maxmem: MAX_MEMORY }, (error, seed) => {
      if (error) reject(error);
      else resolve(createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' }));
    });
  });
}

function publicText(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).toString('base64');
}
