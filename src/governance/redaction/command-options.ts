import { lazy } from '../../lib/lazy.ts';
import type { Span } from './spans.ts';
import { BLANK_OR_QUOTE, secretAt, type Value, valueAt } from './value-spans.ts';

const OPTION =
  '(?:storepass|keypass|askpass|password|passwd|passphrase|token|secret|api-key|access-key|client-secret|secret-key)';
/** Password options of any program, separated by a space. With `=`, they are assignments. */
const longOption = lazy(() => new RegExp(`-(?<=\\s--?)[a-z-]{0,40}?${OPTION}[ ](?=[^\\s-])`, 'gi'));
/** Maximum length of the searched part of a command. */
const MAX_COMMAND = 600;

/** The options of a program that take a password. A match of `flag` ends where the value begins. */
interface Program {
  readonly names: string;
  readonly flag: string;
  /** The end of the value, if it is not a space or quote. */
  readonly stops?: RegExp;
}

const USER = String.raw`["']?[^\s:"']{1,100}`;
const PROGRAMS: readonly Program[] = [
  { names: String.raw`(?:mysql|mariadb)(?:-?\w{1,20})?`, flag: String.raw`\s-p(?=[^\s])` },
  {
    names: 'curl|ab|http|https|xh',
    flag: String.raw`\s(?:-u|--user|-U|--proxy-user|-A|-a|--auth)(?:\s{1,4}|=)?${USER}:(?=\S)`,
  },
  { names: 'mongo(?:sh|dump|restore|export|import)?', flag: String.raw`\s-p\s{0,4}(?=[^\s-])` },
  { names: 'redis-cli', flag: String.raw`\s(?:-a|--pass)\s{0,4}(?=[^\s-])` },
  {
    names: '(?:docker|podman|buildah|skopeo|nerdctl|helm|crane|oras|az|heroku|oc)',
    flag: String.raw`\slogin\b[^\n]{0,200}?\s-p\s{0,4}(?=[^\s-])`,
  },
  {
    names: 'ldap(?:search|add|modify|delete|passwd|whoami|compare|modrdn)',
    flag: String.raw`\s-[ws]\s{0,4}(?=[^\s-])`,
  },
  {
    names: 'ipmitool|mosquitto_(?:pub|sub)|sqlcmd|bcp|zip|unzip',
    flag: String.raw`\s-(?:P|pw)\s{0,4}(?=[^\s-])`,
  },
  { names: '7z[ar]?|rar|unrar', flag: String.raw`\s-p(?=\S)` },
  { names: 'sshpass', flag: String.raw`\s-p\s{0,4}(?=\S)` },
  {
    names: 'openssl',
    flag: String.raw`\s-(?:passin|passout|pass)\s{1,4}pass:|\s-(?:k|password)\s{1,4}(?=\S)`,
  },
  {
    names: 'htpasswd',
    flag: String.raw`\s-[a-zA-Z]{0,4}(?:nb|bn)[a-zA-Z]{0,4}\s{1,4}[^\s-]\S{0,100}\s{1,4}|\s-[a-zA-Z]{0,4}b[a-zA-Z]{0,4}(?<!n[a-zA-Z]{0,4})\s{1,4}[^\s-]\S{0,200}\s{1,4}\S{1,100}\s{1,4}`,
  },
  { names: 'snmp(?:walk|get|set|bulkwalk|table|status)', flag: String.raw`\s-[AXc]\s{0,4}(?=[^\s-])` },
  {
    names: 'smbclient|rpcclient|net|smbmap|winexe|nxc',
    flag: String.raw`\s-U(?:\s{0,4}|=)["']?[^\s%"']{1,64}%`,
  },
  { names: 'lftp', flag: String.raw`\s-u\s{0,4}["']?[^\s,"']{1,64},` },
  { names: 'xfreerdp3?', flag: String.raw`\s/p:` },
  {
    names: 'sqlplus|rman|exp|imp|expdp|impdp',
    flag: String.raw`\s["']?[\w.$]{1,60}/(?=[^\s/@"']{1,60}@)`,
    stops: /[\s"'@]/,
  },
  { names: 'nmcli', flag: String.raw`\s(?:password|[\w.-]{0,40}psk)\s{1,4}` },
  {
    names: 'wpa_passphrase',
    flag: String.raw`\s(?:"[^"\n]{1,40}"|'[^'\n]{1,40}'|[^\s"']{1,40})\s{1,4}(?=[^\s|>])`,
  },
  { names: 'kubectl', flag: String.raw`\s--from-literal(?:=|\s)["']?[\w.-]{1,80}=` },
  { names: 'smbpasswd|pdbedit|gpg2?|restic|borg', flag: String.raw`\s--passphrase\s(?=\S)` },
];

/** A value that is piped to a program that reads a password. */
const PIPED =
  /\b(?:echo|printf)\s{1,4}(?:-\w{1,4}\s{1,4})?(?<value>"[^"\n]{1,200}"|'[^'\n]{1,200}'|[^\s|;&"']{1,200})\s{0,4}\|\s{0,4}(?:sudo\s{1,4})?(?:chpasswd|passwd\s[^\n]{0,60}?--stdin|sudo\s+-S|(?:docker|podman|helm)\s[^\n]{0,200}?--password-stdin|smbpasswd\s|cryptsetup\s|kinit\b|su\s)/g;
const HERE = /\bchpasswd\b[^\n<]{0,60}<<<\s{0,4}(?<value>"[^"\n]{1,200}"|'[^'\n]{1,200}'|[^\s|;&"']{1,200})/g;

const program = lazy(
  () =>
    new RegExp(
      String.raw`(?<![\w./-])(?:/[\w/]{1,40}/)?(?:${PROGRAMS.map(({ names }, index) => `(?<p${index}>${names})`).join('|')})(?=\s)`,
      'g',
    ),
);
const flags = lazy(() => PROGRAMS.map(({ flag }) => new RegExp(flag, 'g')));

/** Passwords in the arguments of commands. */
export function commandOptions(text: string): Span[] {
  const spans: Span[] = [];
  if (/\s/.test(text)) {
    for (const match of text.matchAll(longOption())) {
      spans.push(...secretAt(text, valueAt(text, match.index + match[0].length, BLANK_OR_QUOTE), 'password'));
    }
    for (const match of text.matchAll(program())) spans.push(...programSpans(text, match));
  }
  if (text.includes('|') || text.includes('<<<')) {
    for (const pattern of [PIPED, HERE]) {
      for (const match of text.matchAll(pattern)) spans.push(...pipedSpan(text, match));
    }
  }
  return spans;
}

function programSpans(text: string, match: RegExpExecArray): Span[] {
  const index = PROGRAMS.findIndex((_, each) => match.groups?.[`p${each}`] !== undefined);
  const from = match.index + match[0].length;
  const [command = ''] = /^[^\n|;&]*/.exec(text.slice(from, from + MAX_COMMAND)) ?? [];
  return [...command.matchAll(flags()[index] ?? /$^/g)].flatMap((flag) => {
    const at = from + flag.index + flag[0].length;
    return secretAt(text, argumentAt(text, at, flag[0], PROGRAMS[index]?.stops), 'password');
  });
}

/** The rest of an argument, up to its closing quote if a quote was opened before it. */
function argumentAt(text: string, at: number, flag: string, stops = BLANK_OR_QUOTE): Omit<Value, 'quoted'> {
  const quote = /["']/.exec(flag.slice(flag.lastIndexOf(' ') + 1))?.[0];
  if (quote === undefined || flag.split(quote).length % 2 === 1) return valueAt(text, at, stops);
  const end = text.slice(at, at + MAX_COMMAND).search(quote === '"' ? /["\n]/ : /['\n]/);
  return { start: at, end: end < 0 ? at : at + end };
}

function pipedSpan(text: string, match: RegExpExecArray): Span[] {
  const value = match.groups?.value ?? '';
  const quoted = /^["']/.test(value) ? 1 : 0;
  const start = text.indexOf(value, match.index) + quoted;
  const end = start + value.length - 2 * quoted;
  const user = match[0].includes('chpasswd') ? text.slice(start, end).indexOf(':') + 1 : 0;
  const newline = /(?:\\n)+$/.exec(text.slice(start, end))?.[0].length ?? 0;
  return secretAt(text, { start: start + user, end: end - newline }, 'password');
}
