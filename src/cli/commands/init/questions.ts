import { existsSync } from 'node:fs';
import { parseAddress } from '../../../config/address-formats.ts';
import { absolutePath, type HostEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { askOne, askSecret, askSome, askText, type Choice } from '../../output/ask.ts';
import { agentVariables, isLastingSocket } from '../doctor/dropped-variables.ts';
import type { ClientId } from './clients.ts';
import type { Values } from './env-file.ts';
import { parseServer } from './init-options.ts';
import { clientsHere, isInstalled } from './installed-clients.ts';
import { keyPairFiles, tilde } from './key-file.ts';
import { availableKeys, keyFileState, sshAliases } from './logins.ts';
import { configFrom, type Level } from './setting-values.ts';

/** Maximum number of ~/.ssh/config aliases in the question. */
const MAX_ALIASES = 6;

/** Question 1: the node and the user. */
export async function askServer(before: Values, at: HostEnvironment): Promise<Values> {
  const aliases = sshAliases(at).slice(0, MAX_ALIASES);
  const known = aliases.length === 0 ? '' : `, or an alias of ~/.ssh/config (${aliases.join(', ')})`;
  const typed = await askText(`Proxmox VE node: [user@]host[:port]${known}`, serverText(before), (text) =>
    text === '' ? 'Enter an address or a host name' : serverProblem(text, before, at),
  );
  return { ...before, ...parseServer(typed) };
}

function serverText({ PROXMOX_HOST: host, SSH_USERNAME: user, SSH_PORT: port }: Values): string {
  if (host === undefined) return '';
  if (parseAddress(host)?.port !== undefined) return `${user === undefined ? '' : `${user}@`}${host}`;
  const bracketed = port !== undefined && host.includes(':') ? `[${host}]` : host;
  return `${user === undefined ? '' : `${user}@`}${bracketed}${port === undefined ? '' : `:${port}`}`;
}

function serverProblem(text: string, before: Values, at: HostEnvironment): string | undefined {
  const server = parseServer(text);
  if (server !== undefined) return problemOf(server, before, at);
  const host = /^https?:\/\/(\[[^\]]+\]|[^/:@\s]+)/i.exec(text)?.[1];
  return host === undefined
    ? 'Enter [user@]host[:port], for example root@192.0.2.10'
    : `This is the address of the web interface. Enter the SSH server, for example root@${host}`;
}

/** What is wrong with answers, as settings; undefined if they are valid. */
function problemOf(answers: Values, before: Values, at: HostEnvironment): string | undefined {
  const loaded = configFrom({ ...before, ...answers }, at);
  const names = Object.keys(answers);
  const found = loaded.ok ? undefined : loaded.errors.find(({ name }) => names.includes(name));
  return found?.problem.replace(/^.*\(environment\) /, 'This ');
}

/** The settings of a login. With `createKey`, their password is used once, to install a new key. */
export interface LoginAnswer {
  readonly values: Values;
  readonly createKey: boolean;
}

const NO_LOGIN: Values = {
  SSH_KEY: undefined,
  SSH_KEY_PASSPHRASE: undefined,
  SSH_KEY_PASSPHRASE_FILE: undefined,
  SSH_PASSWORD: undefined,
  SSH_PASSWORD_FILE: undefined,
};

/**
 * Question 3: key or password.
 * @param present the login in the configuration, which can be kept; undefined: not offered
 */
export async function askLogin(
  config: Config,
  who: string,
  present: Values | undefined,
  at: HostEnvironment,
): Promise<LoginAnswer> {
  const keys = await availableKeys({ ...config, sshKey: undefined, sshPassword: undefined }, at);
  const all = [...new Set([...keys.files, ...keyPairFiles(at)])];
  const states = await Promise.all(all.map((file) => keyFileState(file, undefined)));
  const usable = all.filter((_, index) => states[index] === 'usable');
  const encrypted = all.filter((_, index) => states[index] === 'encrypted');
  // After the next login, a server that a client starts could not find an agent socket with a random name.
  const lasting = agentVariables(resolveSshTarget(config, at)).every(({ value }) => isLastingSocket(value));
  const choice = await askOne<string>(`How do you log in as ${who}?`, [
    ...(present === undefined ? [] : [{ value: 'keep', label: `As before: ${loginText(present, at)}` }]),
    ...usable.map((file): Choice<string> => ({ value: file, label: `Key ${tilde(file, at)}` })),
    ...(keys.agent.length === 0 || !lasting
      ? []
      : [
          {
            value: 'agent',
            label: `Key in your ssh-agent: ${keys.agent.join(', ')}`,
            hint: "the client's entry gets the path of its socket",
          },
        ]),
    ...encrypted.map(
      (file): Choice<string> => ({
        value: file,
        label: `Key ${tilde(file, at)}`,
        hint: 'needs its passphrase',
      }),
    ),
    {
      value: 'create',
      label: 'Create a new SSH key and install it on the node',
      hint: 'needs the password once',
    },
    { value: 'file', label: 'Another key file' },
    { value: 'password', label: 'Password', hint: 'stored in config.env, mode 600' },
  ]);
  switch (choice) {
    case 'keep':
      return { values: present ?? {}, createKey: false };
    case 'agent':
      return { values: NO_LOGIN, createKey: false };
    case 'create':
    case 'password': {
      const password = await askSecret(`Password for ${who}`);
      return { values: { ...NO_LOGIN, SSH_PASSWORD: password }, createKey: choice === 'create' };
    }
    default:
      return { values: { ...NO_LOGIN, ...(await askKeyFile(choice, at)) }, createKey: false };
  }
}

/** Names the login in settings. */
function loginText({ SSH_KEY: key }: Values, at: HostEnvironment): string {
  return key === undefined ? 'the stored password' : `key ${tilde(absolutePath(at, key), at)}`;
}

async function askKeyFile(choice: string, at: HostEnvironment): Promise<Values> {
  const file = choice === 'file' ? await askPath(at) : choice;
  if ((await keyFileState(file, undefined)) !== 'encrypted') return { SSH_KEY: file };
  for (let message = 'Passphrase for this key (stored in config.env, mode 600)'; ; ) {
    const passphrase = await askSecret(message);
    if ((await keyFileState(file, passphrase)) === 'usable') {
      return { SSH_KEY: file, SSH_KEY_PASSPHRASE: passphrase };
    }
    message = 'Wrong passphrase. Try again';
  }
}

async function askPath(at: HostEnvironment): Promise<string> {
  const typed = await askText('Path of the private key', '', (text) => {
    const file = pastedPath(text, at);
    if (text === '' || !existsSync(absolutePath(at, file))) return 'This file does not exist';
    return problemOf({ SSH_KEY: file }, { ...NO_LOGIN, ...COMPLETE }, at);
  });
  return absolutePath(at, pastedPath(typed, at));
}

/** Settings without which no setting can be checked. */
const COMPLETE: Values = { I_ACCEPT_RISKS: 'true', PROXMOX_HOST: 'localhost' };

/** A path as shells and file managers quote it: in quotes, or with a backslash before spaces. */
function pastedPath(text: string, { platform }: HostEnvironment): string {
  const quoted = /^(["'])(.*)\1$/.exec(text)?.[2];
  if (quoted !== undefined) return quoted;
  return platform === 'win32' ? text : text.replaceAll(/\\(?=[ ()&'"])/g, '');
}

/** A level and the policy for confirmations. */
export interface Safety {
  readonly level: Level;
  readonly policy: 'careful' | 'standard' | undefined;
}

const SAFETY: Readonly<Record<'look' | 'ask' | 'host' | 'free', Safety>> = {
  look: { level: 'read-only', policy: undefined },
  ask: { level: 'containers', policy: 'careful' },
  host: { level: 'host', policy: 'careful' },
  free: { level: 'containers', policy: 'standard' },
};

/** Question 4: what the assistant may do, and what needs confirmation. */
export async function askSafety(before: Level | undefined, policy: string | undefined): Promise<Safety> {
  const presets = {
    'read-only': 'look',
    containers: policy === 'standard' || policy === 'open' ? 'free' : 'ask',
    host: 'host',
  } as const;
  const picked = await askOne(
    'What may the assistant do?',
    [
      { value: 'look', label: 'Look only', hint: 'list containers and their status; no commands, no files' },
      {
        value: 'ask',
        label: 'Work in containers, ask me before risky actions',
        hint: 'before stopping containers and overwriting files, not before commands; recommended',
      },
      {
        value: 'host',
        label: 'Work in containers and on the node, ask me before risky actions',
        hint: 'also before anything on the node',
      },
      {
        value: 'free',
        label: 'Work freely in containers',
        hint: 'asks only for containers tagged "protected"',
      },
    ],
    presets[before ?? 'containers'],
  );
  return SAFETY[picked];
}

/** Question 5: the clients to set up; those found on this machine are preselected. */
export function askClients(at: HostEnvironment): Promise<readonly ClientId[]> {
  const apps = clientsHere(at);
  return askSome(
    'Which clients should I set up? (space selects, enter writes the configuration)',
    apps.map((app) => ({ value: app.id, label: app.title, hint: tilde(app.file, at) })),
    apps.filter(isInstalled).map(({ id }) => id),
  );
}
