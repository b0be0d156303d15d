import { existsSync } from 'node:fs';
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
import { keyFileState, keysAtHand, sshAliases } from './logins.ts';
import { configFrom, type Level } from './values.ts';

/** So many aliases of ~/.ssh/config are named in the question. */
const MAX_ALIASES = 6;

/** Question 1: which node, and as which user. */
export async function askServer(before: Values, at: HostEnvironment): Promise<Values> {
  const aliases = sshAliases(at).slice(0, MAX_ALIASES);
  const known = aliases.length === 0 ? '' : `, or an alias of ~/.ssh/config (${aliases.join(', ')})`;
  const typed = await askText(`Proxmox VE node: [user@]host[:port]${known}`, serverText(before), (text) =>
    text === '' ? 'Enter an address or a host name' : faultOf(text, before, at),
  );
  return { ...before, ...parseServer(typed) };
}

function serverText({ PROXMOX_HOST: host, SSH_USERNAME: user, SSH_PORT: port }: Values): string {
  if (host === undefined) return '';
  const bracketed = port !== undefined && host.includes(':') ? `[${host}]` : host;
  return `${user === undefined ? '' : `${user}@`}${bracketed}${port === undefined ? '' : `:${port}`}`;
}

function faultOf(text: string, before: Values, at: HostEnvironment): string | undefined {
  const server = parseServer(text);
  if (server === undefined) return 'This is not [user@]host[:port], for example root@192.0.2.10';
  const loaded = configFrom({ ...before, ...server }, at);
  const names = Object.keys(server);
  const found = loaded.ok ? undefined : loaded.faults.find(({ name }) => names.includes(name));
  return found?.problem.replace(/^.*\(environment\) /, 'This ');
}

/** How to log in: settings, and whether a key is to be created with the password that they hold for now. */
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

/** Question 3: key or password. */
export async function askLogin(config: Config, who: string, at: HostEnvironment): Promise<LoginAnswer> {
  const keys = await keysAtHand({ ...config, sshKey: undefined, sshPassword: undefined }, at);
  const all = [...new Set([...keys.files, ...keyPairFiles(at)])];
  const states = await Promise.all(all.map((file) => keyFileState(file, undefined)));
  const usable = all.filter((_, index) => states[index] === 'usable');
  const encrypted = all.filter((_, index) => states[index] === 'encrypted');
  // A server that a client starts would look for it in vain after the next login.
  const lasting = agentVariables(resolveSshTarget(config, at)).every(({ value }) => isLastingSocket(value));
  const way = await askOne<string>(`How do you log in as ${who}?`, [
    ...usable.map((file): Choice<string> => ({ value: file, label: `Key ${tilde(file, at)}` })),
    ...(keys.agent.length === 0 || !lasting
      ? []
      : [
          {
            value: 'agent',
            label: `Key in your ssh-agent: ${keys.agent.join(', ')}`,
            hint: "its socket is written into the client's entry",
          },
        ]),
    ...encrypted.map(
      (file): Choice<string> => ({
        value: file,
        label: `Key ${tilde(file, at)}`,
        hint: 'asks for its passphrase',
      }),
    ),
    {
      value: 'create',
      label: 'Create a new SSH key and install it on the node',
      hint: 'needs the password once',
    },
    { value: 'file', label: 'Another key file' },
    { value: 'password', label: 'Password', hint: 'kept in config.env, mode 600' },
  ]);
  switch (way) {
    case 'agent':
      return { values: NO_LOGIN, createKey: false };
    case 'create':
    case 'password': {
      const password = await askSecret(`Password of ${who}`);
      return { values: { ...NO_LOGIN, SSH_PASSWORD: password }, createKey: way === 'create' };
    }
    default:
      return { values: { ...NO_LOGIN, ...(await askKeyFile(way, at)) }, createKey: false };
  }
}

async function askKeyFile(way: string, at: HostEnvironment): Promise<Values> {
  const file = way === 'file' ? await askPath(at) : way;
  if ((await keyFileState(file, undefined)) !== 'encrypted') return { SSH_KEY: file };
  for (let message = 'Passphrase of this key (kept in config.env, mode 600)'; ; ) {
    const passphrase = await askSecret(message);
    if ((await keyFileState(file, passphrase)) === 'usable') {
      return { SSH_KEY: file, SSH_KEY_PASSPHRASE: passphrase };
    }
    message = 'Wrong passphrase. Try again';
  }
}

async function askPath(at: HostEnvironment): Promise<string> {
  const typed = await askText('Path of the private key', '', (value) =>
    value !== '' && existsSync(absolutePath(at, value)) ? undefined : 'There is no such file',
  );
  return absolutePath(at, typed);
}

/** A level together with the policy about confirmations. */
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
export async function askSafety(before: Level | undefined): Promise<Safety> {
  const presets = { 'read-only': 'look', containers: 'ask', host: 'host' } as const;
  const picked = await askOne(
    'What may the assistant do?',
    [
      { value: 'look', label: 'Look only', hint: 'list containers and their status; no commands, no files' },
      {
        value: 'ask',
        label: 'Work in containers, ask me before risky actions',
        hint: 'before stopping or killing containers and overwriting files; recommended',
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
