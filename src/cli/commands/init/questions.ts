import { existsSync } from 'node:fs';
import { absolutePath, type HostEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import type { PresetName } from '../../../governance/policy/policy-types.ts';
import { askOne, askSecret, askSome, askText, askYesNo, type Choice } from '../../output/ask.ts';
import { agentVariables, isLastingSocket } from '../doctor/dropped-variables.ts';
import { type ClientId, clientApps } from './clients.ts';
import type { Values } from './env-file.ts';
import { keyFileState, keysAtHand, sshAliases } from './logins.ts';
import { configFrom, type Level, RECOMMENDED_POLICY } from './values.ts';

/** A value that no alias has. */
const OTHER = '\0other';

/** Which server, and as whom. */
export async function askServer(before: Values, at: HostEnvironment): Promise<Values> {
  const aliases = sshAliases(at);
  const judge = (name: string) => (value: string) => faultOf({ ...before, [name]: value }, name, at);
  let host = OTHER;
  if (aliases.length > 0) {
    const known = aliases.map((alias): Choice<string> => ({ value: alias, label: alias }));
    const choices = [...known, { value: OTHER, label: 'Another one', hint: 'address or name' }];
    host = await askOne('Which Proxmox VE node? These are in your ~/.ssh/config:', choices, before.HOST);
  }
  if (host !== OTHER) return { ...before, HOST: host, SSH_PORT: undefined, SSH_USERNAME: undefined };
  host = await askText('Address or name of the Proxmox VE node', before.HOST ?? '', (value) =>
    value === '' ? 'It is needed' : judge('HOST')(value),
  );
  const port = await askText('Port of its SSH server', before.SSH_PORT ?? '22', judge('SSH_PORT'));
  const user = await askText('User to log in as', before.SSH_USERNAME ?? 'root', judge('SSH_USERNAME'));
  return {
    ...before,
    HOST: host,
    SSH_PORT: port === '22' ? undefined : port,
    SSH_USERNAME: user === 'root' ? undefined : user,
  };
}

function faultOf(values: Values, name: string, at: HostEnvironment): string | undefined {
  const loaded = configFrom(values, at);
  if (loaded.ok) return undefined;
  return loaded.faults.find((fault) => fault.name === name)?.problem.replace(/^.*\(environment\) /, 'This ');
}

/** How to log in: settings, and whether a key is to be made with the password that they hold for now. */
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

export async function askLogin(config: Config, who: string, at: HostEnvironment): Promise<LoginAnswer> {
  const keys = await keysAtHand({ ...config, sshKey: undefined, sshPassword: undefined }, at);
  const files = keys.files.map((file): Choice<string> => ({ value: file, label: `Key ${file}` }));
  // A server that a client starts would look for it in vain after the next login.
  const lasting = agentVariables(resolveSshTarget(config, at)).every(({ value }) => isLastingSocket(value));
  const agent: Choice<string> = {
    value: 'agent',
    label: `Key in your ssh-agent: ${keys.agent.join(', ')}`,
    hint: 'its socket is written into the entry of the client',
  };
  const way = await askOne(`How do you log in as ${who}?`, [
    ...files,
    ...(keys.agent.length === 0 || !lasting ? [] : [agent]),
    { value: 'create', label: 'Make a new key and install it', hint: 'asks for the password, once' },
    { value: 'file', label: 'Another key file' },
    { value: 'password', label: 'Password', hint: 'kept in .env, readable by you alone' },
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
  if (way !== 'file') return { SSH_KEY: way };
  const typed = await askText('Path of the private key', '', (value) =>
    value !== '' && existsSync(absolutePath(at, value)) ? undefined : 'There is no such file',
  );
  const file = absolutePath(at, typed);
  if ((await keyFileState(file, undefined)) !== 'encrypted') return { SSH_KEY: file };
  for (let message = 'Its passphrase (kept in .env, readable by you alone)'; ; ) {
    const passphrase = await askSecret(message);
    if ((await keyFileState(file, passphrase)) === 'usable') {
      return { SSH_KEY: file, SSH_KEY_PASSPHRASE: passphrase };
    }
    message = 'That does not open it. Its passphrase';
  }
}

export function askLevel(preset: Level | undefined): Promise<Level> {
  return askOne<Level>(
    'How much may the assistant do?',
    [
      { value: 'read-only', label: 'Look only', hint: 'list and status; no commands, no files' },
      { value: 'containers', label: 'Work in containers', hint: 'commands as root, files, start and stop' },
      { value: 'host', label: 'Work in containers and on the node itself', hint: 'root on the node' },
    ],
    preset ?? 'containers',
  );
}

/** What a person is asked before it happens. */
export function askPolicy(preset: string | undefined): Promise<PresetName> {
  const choices: readonly Choice<PresetName>[] = [
    {
      value: 'careful',
      label: 'Before it destroys, kills or overwrites, and on the node',
      hint: 'recommended; containers with the tag protected: before every change',
    },
    {
      value: 'standard',
      label: 'Only in containers with the tag protected',
      hint: 'as clients of the original expect it',
    },
    { value: 'open', label: 'Never', hint: 'everything runs unasked' },
  ];
  const before = choices.find(({ value }) => value === preset)?.value;
  return askOne(
    'When must a person confirm what the assistant wants to do?',
    choices,
    before ?? RECOMMENDED_POLICY,
  );
}

/** The clients to set up; those that seem to be used here are ticked. */
export function askClients(dir: string, at: HostEnvironment): Promise<readonly ClientId[]> {
  const apps = clientApps(at, dir);
  return askSome(
    'Set up which clients? (space to tick, enter to go on)',
    apps.map(({ id, title, file }) => ({ value: id, label: title, hint: file })),
    apps.filter(({ trace }) => existsSync(trace)).map(({ id }) => id),
  );
}

/** Where settings go. */
export async function askDir(preset: string, at: HostEnvironment): Promise<string> {
  const typed = await askText('Directory for .env, which holds the settings', preset, (value) =>
    existsSync(absolutePath(at, value)) ? undefined : 'There is no such directory',
  );
  return absolutePath(at, typed);
}

/** Whether root's rights come by sudo; not asked of root. */
export async function askSudo(username: string): Promise<Values> {
  if (username === 'root') return { SUDO: undefined };
  const yes = await askYesNo(`${username} is not root. Use sudo (without a password) on the node?`, true);
  return { SUDO: yes ? 'true' : undefined };
}
