import type ssh2 from 'ssh2';

export interface KeyPair {
  /** OpenSSH format, without a passphrase, because a client starts the server without a terminal to type it. */
  readonly privateKey: string;
  /** One line without a newline. */
  readonly publicKey: string;
}

/** Generates an Ed25519 key pair in memory. */
export async function makeKeyPair(comment: string): Promise<KeyPair> {
  const { default: lib } = await import('ssh2');
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const pair = lib.utils.generateKeyPairSync('ed25519', { comment });
    if (works(lib, pair)) return { privateKey: pair.private, publicKey: pair.public.trim() };
  }
  throw new Error('no valid key pair could be generated');
}

/** Whether the keys match. ssh2 drops leading zeros of a key, so one pair in a hundred does not. */
function works(lib: typeof ssh2, pair: { readonly private: string; readonly public: string }): boolean {
  const [mine, theirs] = [lib.utils.parseKey(pair.private), lib.utils.parseKey(pair.public)];
  if (mine instanceof Error || theirs instanceof Error) return false;
  const data = Buffer.from('test message');
  try {
    const signature = mine.sign(data);
    // Either may be an Error, although the types of ssh2 do not say so.
    return Buffer.isBuffer(signature) && theirs.verify(data, signature) === true;
  } catch {
    return false;
  }
}
