import type ssh2 from 'ssh2';

export interface KeyPair {
  /** OpenSSH's own format, without a passphrase: nobody is there to type it when a client starts us. */
  readonly privateKey: string;
  /** One line, without line end. */
  readonly publicKey: string;
}

/** Makes an Ed25519 key pair in memory. */
export async function makeKeyPair(comment: string): Promise<KeyPair> {
  const { default: lib } = await import('ssh2');
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const pair = lib.utils.generateKeyPairSync('ed25519', { comment });
    if (works(lib, pair)) return { privateKey: pair.private, publicKey: pair.public.trim() };
  }
  throw new Error('no key pair could be made');
}

/** ssh2 drops zeros at the start of a key: one pair in a hundred does not fit together. */
function works(lib: typeof ssh2, pair: { readonly private: string; readonly public: string }): boolean {
  const [mine, theirs] = [lib.utils.parseKey(pair.private), lib.utils.parseKey(pair.public)];
  if (mine instanceof Error || theirs instanceof Error) return false;
  const data = Buffer.from('does it fit?');
  try {
    const signature = mine.sign(data);
    // Its types leave out that either may come back as an Error.
    return Buffer.isBuffer(signature) && theirs.verify(data, signature) === true;
  } catch {
    return false;
  }
}
