import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type ssh2 from 'ssh2';
import { decodeText, hasUtf16 } from '../lib/decode-text.ts';
import { messageOf } from '../lib/errors.ts';
import type { SshLogger } from './logger.ts';
import type { SshTarget } from './ssh-types.ts';

type Ssh2 = typeof ssh2;
type AgentKey = string | Buffer | ssh2.ParsedKey;

/** A public key whose private key is available. */
export type Identity =
  | {
      readonly from: 'agent';
      readonly label: string;
      readonly publicKey: ssh2.ParsedKey;
      readonly agent: ssh2.BaseAgent;
    }
  | { readonly from: 'file'; readonly label: string; readonly key: ssh2.ParsedKey };

export interface Identities {
  /** In the order in which they are offered. */
  readonly usable: readonly Identity[];
  /** Problems with key files that the operator named. */
  readonly unusableNamed: readonly string[];
  /** Problems with key files in OpenSSH's default locations. */
  readonly unusableDefaults: readonly string[];
  /** Why the agent could not be used. */
  readonly agentProblem: string | null;
}

interface KeyFile {
  readonly path: string;
  readonly named: boolean;
  readonly key: ssh2.ParsedKey | null;
  /** To find the key in the agent; known even for an encrypted key if its .pub file exists. */
  readonly publicKey: Buffer | null;
  readonly problem: string | null;
}

/** An agent that does not answer must not use up the time that sshd grants for logging in. */
const AGENT_TIMEOUT_MS = 3000;

/** OpenSSH's default key files: used if they exist, and no error if they do not. */
const DEFAULT_FILES = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk', 'id_dsa'];

/**
 * Collects the keys to offer: keys of the agent that match a named file, named files, other keys of the agent, default
 * files. Close to OpenSSH's order, but named files come before the other keys of the agent, because sshd disconnects
 * after six keys. Reads files and queries the agent; never rejects.
 */
export async function loadIdentities(target: SshTarget, lib: Ssh2, logger: SshLogger): Promise<Identities> {
  const [files, fromAgent] = await Promise.all([
    Promise.all(target.identityFiles.map((path) => loadKeyFile(path, target.passphrase, lib))),
    loadAgent(target, lib),
  ]);
  if (fromAgent.problem !== null) logger.debug(fromAgent.problem);
  const inFiles = (identity: Identity, among: readonly KeyFile[]) =>
    identity.from === 'agent' &&
    among.some((file) => file.publicKey?.equals(identity.publicKey.getPublicSSH()) === true);
  const named = files.filter((file) => file.named);
  const matching = fromAgent.keys.filter((key) => inFiles(key, named));
  const others = fromAgent.keys.filter(
    (key) => !matching.includes(key) && (!target.identitiesOnly || inFiles(key, files)),
  );
  const heldByAgent = (file: KeyFile) => fromAgent.keys.some((key) => inFiles(key, [file]));
  const fileKeys = (wanted: boolean) =>
    files.flatMap((file): Identity[] =>
      file.key && file.named === wanted && !heldByAgent(file)
        ? [{ from: 'file', label: file.path, key: file.key }]
        : [],
    );
  const problems = (wanted: boolean) =>
    files.flatMap((file) =>
      file.problem !== null && file.named === wanted && !heldByAgent(file) ? [file.problem] : [],
    );
  return {
    usable: [...matching, ...fileKeys(true), ...others, ...fileKeys(false)],
    unusableNamed: problems(true),
    unusableDefaults: problems(false),
    agentProblem: fromAgent.problem,
  };
}

async function loadKeyFile(path: string, passphrase: string | undefined, lib: Ssh2): Promise<KeyFile> {
  const named = dirname(path) !== join(homedir(), '.ssh') || !DEFAULT_FILES.includes(basename(path));
  const unusable = async (problem: string): Promise<KeyFile> => ({
    path,
    named,
    key: null,
    publicKey: await loadPublicKey(`${path}.pub`, lib),
    problem: `key file ${path} ${problem}`,
  });
  let data: Buffer;
  try {
    data = await readKeyFile(path);
  } catch (error) {
    return unusable(`cannot be read (${messageOf(error)})`);
  }
  const plain = firstKey(lib.utils.parseKey(data));
  if (!(plain instanceof Error)) {
    if (plain.isPrivateKey()) {
      return { path, named, key: plain, publicKey: plain.getPublicSSH(), problem: null };
    }
    const problem = `key file ${path} is a public key, and the agent has no private key for it`;
    return { path, named, key: null, publicKey: plain.getPublicSSH(), problem };
  }
  if (!/no passphrase/.test(plain.message)) {
    return unusable('is not a private key in a supported format (OpenSSH, PEM, PPK version 2)');
  }
  if (passphrase === undefined) return unusable('is encrypted, and SSH_KEY_PASSPHRASE is not set');
  const opened = decrypt(path, data, passphrase, lib);
  if (opened instanceof Error || !opened.isPrivateKey()) {
    return unusable('is encrypted, and SSH_KEY_PASSPHRASE is wrong');
  }
  return { path, named, key: opened, publicKey: opened.getPublicSSH(), problem: null };
}

/** Cache: deriving a key from a passphrase takes 100 ms or more, and each connection of a pool logs in separately. */
const decrypted = new Map<string, { data: Buffer; passphrase: string; key: ssh2.ParsedKey | Error }>();

function decrypt(path: string, data: Buffer, passphrase: string, lib: Ssh2): ssh2.ParsedKey | Error {
  const last = decrypted.get(path);
  if (last?.data.equals(data) && last.passphrase === passphrase) return last.key;
  const key = firstKey(lib.utils.parseKey(data, passphrase));
  decrypted.set(path, { data, passphrase, key });
  return key;
}

/** The bytes of a key file. UTF-16, which PowerShell writes, is converted to UTF-8, because ssh2 cannot read it. */
export async function readKeyFile(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  return hasUtf16(bytes) ? Buffer.from(decodeText(bytes)) : bytes;
}

async function loadPublicKey(path: string, lib: Ssh2): Promise<Buffer | null> {
  try {
    const key = firstKey(lib.utils.parseKey(await readKeyFile(path)));
    return key instanceof Error ? null : key.getPublicSSH();
  } catch {
    return null;
  }
}

/** ssh2 returns an array for some formats, although its types do not say so. */
function firstKey(parsed: ssh2.ParsedKey | Error | readonly ssh2.ParsedKey[]): ssh2.ParsedKey | Error {
  if (!('length' in parsed)) return parsed;
  return parsed[0] ?? new Error('no key');
}

async function loadAgent(
  target: SshTarget,
  lib: Ssh2,
): Promise<{ keys: Identity[]; problem: string | null }> {
  const path = target.agent;
  if (!path) return { keys: [], problem: null };
  try {
    const agent = lib.createAgent(path);
    const keys = await identitiesOf(agent);
    return {
      problem: null,
      keys: keys.flatMap((raw): Identity[] => {
        const key = firstKey(lib.utils.parseKey(raw));
        if (key instanceof Error) return [];
        return [
          {
            from: 'agent',
            label: key.comment || key.type,
            publicKey: key,
            agent: singleKeyAgent(lib, agent, key),
          },
        ];
      }),
    };
  } catch (error) {
    return { keys: [], problem: `the ssh-agent at ${path} cannot be used (${messageOf(error)})` };
  }
}

function identitiesOf(agent: ssh2.BaseAgent): Promise<AgentKey[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), AGENT_TIMEOUT_MS);
    timer.unref();
    agent.getIdentities((error, keys) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve((keys ?? []).map(agentKey));
    });
  });
}

function agentKey(entry: AgentKey | ssh2.PublicKeyEntry): AgentKey {
  if (typeof entry === 'string' || !('pubKey' in entry)) return entry;
  return 'pubKey' in entry.pubKey ? entry.pubKey.pubKey : entry.pubKey;
}

/** An agent with only one of the keys, so that this program determines the order of all keys. */
function singleKeyAgent(lib: Ssh2, agent: ssh2.BaseAgent, key: ssh2.ParsedKey): ssh2.BaseAgent {
  class SingleKeyAgent extends lib.BaseAgent {
    override getIdentities(callback: ssh2.IdentityCallback): void {
      callback(undefined, [key]);
    }
    override sign(
      publicKey: AgentKey,
      data: Buffer,
      options: ssh2.SigningRequestOptions | ssh2.SignCallback,
      callback?: ssh2.SignCallback,
    ): void {
      if (typeof options === 'function') agent.sign(publicKey, data, options);
      else agent.sign(publicKey, data, options, callback);
    }
  }
  return new SingleKeyAgent();
}
