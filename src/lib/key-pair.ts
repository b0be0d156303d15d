import type ssh2 from 'ssh2';

export interface KeyPair {
  /** In OpenSSH format, without a passphrase, because a server that a client starts cannot ask for one. */
  readonly privateKey: string;
  /** One line, without a line break. */
  readonly publicKey: string;
}

/** Generates an Ed25519 key pair in memory. */
export async function makeKeyPair(comment: string): Promise<KeyPair> {
  const { default: lib } = await import('ssh2');
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const pair = lib.utils.generateKeyPairSync('ed25519', { comment });
    if (works(lib, pair)) return { privateKey: pair.private, publicKey: pair.public.trim() };
  }
  throw new Error('no key pair could be generated');
}

/** Checks a pair: ssh2 drops leading zeros of a key, so that the halves of one pair in a hundred do not match. */
function works(lib: typeof ssh2, pair: { readonly private: string; readonly public: string }): boolean {
  const [mine, theirs] = [lib.utils.parseKey(pair.private), lib.utils.parseKey(pair.public)];
  if (mine instanceof Error || theirs instanceof Error) return false;
  const data = Buffer.from('does it fit?');
  try {
    const signature = mine.sign(data);
    // Both can be an Error, which the types of ssh2 do not include.
    return Buffer.isBuffer(signature) && theirs.verify(data, signature) === true;
  } catch {
    return false;
  }
}
