import type ssh2 from 'ssh2';
import { AppError } from '../lib/errors.ts';
import { shellWord } from '../lib/quote.ts';
import { type Identities, type Identity, loadIdentities } from './identities.ts';
import { type SshLogger, warnOnce } from './logger.ts';
import { hasLink } from './login-wait.ts';
import type { SshTarget } from './ssh-types.ts';

/** The login of one connection: supplies ssh2 with the next method, and the error if no method succeeds. */
export interface Login {
  readonly next: ssh2.AuthHandlerMiddleware;
  /** Whether every method has been tried. */
  readonly exhausted: boolean;
  /** Label of the method that was tried last; after a success, of the one that succeeded. */
  readonly last: string | undefined;
  /**
   * @param why why the login ended; undefined when the server refused all methods
   * @param banner the server's banner; empty if it sent none
   */
  failure(why: string | undefined, banner: string): AppError;
}

interface Attempt {
  readonly method: string;
  readonly label: string;
  readonly auth: ssh2.AnyAuthMethod;
}

/**
 * Prepares the login to `target`: public keys, then keyboard-interactive answered with the password, then the password,
 * each only while the server accepts that method. Never rejects: `failure` reports keys that cannot be used.
 */
export async function prepareLogin(target: SshTarget, lib: typeof ssh2, logger: SshLogger): Promise<Login> {
  const identities = await loadIdentities(target, lib, logger);
  for (const problem of identities.unusableNamed)
    warnOnce(logger, `${problem}; trying the other login methods`);
  const remaining = [
    ...identities.usable.map((identity) => publicKeyAttempt(target.username, identity)),
    ...passwordAttempts(target),
  ];
  const tried: string[] = [];
  let accepted: readonly string[] | null = null;
  let askedNone = false;
  let lastFromAgent = false;
  let partial = false;
  let exhausted = false;
  return {
    get exhausted() {
      return exhausted;
    },
    get last() {
      return tried.at(-1);
    },
    next(left, partialSuccess, callback) {
      if (!askedNone) {
        askedNone = true;
        // Costs one round trip and returns the list of methods that the server accepts.
        callback({ type: 'none', username: target.username });
        return;
      }
      if (partialSuccess) partial = true;
      // ssh2 does not pass on the server's reply to an agent key, so after one the list is out of date.
      if (Array.isArray(left) && !lastFromAgent) accepted = [...left];
      const usable = (attempt: Attempt) =>
        accepted === null || lastFromAgent || accepted.includes(attempt.method);
      const index = remaining.findIndex(usable);
      const attempt = index < 0 ? undefined : remaining.splice(index, 1)[0];
      if (attempt === undefined) {
        exhausted = true;
        giveUp(callback);
        return;
      }
      lastFromAgent = attempt.auth.type === 'agent';
      tried.push(attempt.label);
      logger.debug(`login as ${target.username}@${target.host}: trying ${attempt.label}`);
      callback(attempt.auth);
    },
    failure: (why, banner) => loginError(target, identities, { tried, accepted, partial, why, banner }),
  };
}

/** ssh2 ends the login when it receives `false`, which its types do not allow. */
function giveUp(callback: (next: never) => void): void {
  Reflect.apply(callback, undefined, [false]);
}

function publicKeyAttempt(username: string, identity: Identity): Attempt {
  return identity.from === 'agent'
    ? {
        method: 'publickey',
        label: `agent key "${identity.label}"`,
        auth: { type: 'agent', username, agent: identity.agent },
      }
    : {
        method: 'publickey',
        label: `key file ${identity.label}`,
        auth: { type: 'publickey', username, key: identity.key },
      };
}

function passwordAttempts(target: SshTarget): Attempt[] {
  const { username, password } = target;
  if (password === undefined) return [];
  let answered = false;
  return [
    {
      method: 'keyboard-interactive',
      label: 'keyboard-interactive with the password',
      auth: {
        type: 'keyboard-interactive',
        username,
        prompt(_name, _instructions, _lang, prompts, finish) {
          // Only the first prompt asks for the password. A later one asks for a code or a new password.
          const answer = answered ? '' : password;
          answered ||= prompts.length > 0;
          finish(prompts.map(() => answer));
        },
      },
    },
    { method: 'password', label: 'password', auth: { type: 'password', username, password } },
  ];
}

interface Outcome {
  readonly tried: readonly string[];
  readonly accepted: readonly string[] | null;
  readonly partial: boolean;
  readonly why: string | undefined;
  readonly banner: string;
}

function loginError(target: SshTarget, identities: Identities, outcome: Outcome): AppError {
  const { tried, accepted, partial, why, banner } = outcome;
  const agent = identities.agentProblem === null ? [] : [identities.agentProblem];
  const notes = [...identities.unusableDefaults, ...agent].map((note) => `; ${note}`);
  const offered = tried.length > 0 ? `tried ${tried.join(', ')}` : 'no key or password was available';
  const takes = accepted === null ? '' : `; the server accepts ${accepted.join(', ') || 'no method'}`;
  const reason = why === undefined ? '' : ` (${why})`;
  const who = `${target.username}@${target.host}:${target.port}`;
  const said = banner === '' ? '' : `; its banner is: "${banner}"`;
  const details = `${offered}${takes}${said}${notes.join('')}`;
  if (identities.unusableNamed.length > 0) {
    return new AppError(
      'SSH_KEY_UNUSABLE',
      `Login as ${who} failed${reason}: ${identities.unusableNamed.join('; ')}; ${details}.`,
      'Set SSH_KEY to a readable private key file and, if it is encrypted, SSH_KEY_PASSPHRASE, or load the key into an ssh-agent.',
    );
  }
  return new AppError(
    'SSH_AUTH_FAILED',
    `${who} refused the login${reason}: ${details}${partial ? '; one method was accepted, but the server requires another one too' : ''}.`,
    why !== undefined && hasLink(banner) ? OPEN_LINK : nextStep(target, tried, accepted),
  );
}

/** The server waits until a person confirms the login, as Tailscale SSH does in check mode. */
const OPEN_LINK =
  'Call again, and ask the user to open the link in a browser and confirm the login while the call runs: it waits two minutes for the confirmation.';

function nextStep(target: SshTarget, tried: readonly string[], accepted: readonly string[] | null): string {
  if (tried.length === 0 && (target.password === undefined || accepted?.includes('publickey'))) {
    const agent =
      target.agent === undefined
        ? 'To use an ssh-agent, add SSH_AUTH_SOCK to "env" in the server\'s entry of the client configuration, because MCP clients do not pass that variable on'
        : 'Or load the key into the ssh-agent (ssh-add)';
    return `Set SSH_KEY or SSH_PASSWORD. ${agent}.`;
  }
  if (tried.length === 0) {
    return 'The SSH server does not accept password logins. Set SSH_KEY to a private key file.';
  }
  if (tried.every((label) => /\bpassword$/.test(label))) {
    return `Check SSH_USERNAME and SSH_PASSWORD, and that sshd allows ${target.username} to log in with a password (PermitRootLogin, PasswordAuthentication), or use a key (SSH_KEY).`;
  }
  return `Check SSH_USERNAME and that the public key is in ~/.ssh/authorized_keys of ${target.username} on the host; "ssh -v${identityOf(tried)} -p ${target.port} ${target.username}@${target.host}" shows the login step by step.`;
}

/** ` -i FILE` if exactly one key file was tried, so that ssh tries the same one. */
function identityOf(tried: readonly string[]): string {
  const files = tried.flatMap((label) => /^key file (.+)$/.exec(label)?.[1] ?? []);
  const [file] = files;
  return file === undefined || files.length > 1 ? '' : ` -i ${shellWord(file)}`;
}
