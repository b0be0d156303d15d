import { isIP } from 'node:net';

/** Paths that are the same on every machine. */
const COMMON_PATHS = /^\/(?:etc\/pve|usr|dev|bin|sbin|proc)(?:\/|$)/;

/**
 * Replaces the names as whole words, and all addresses, paths, fingerprints and `user@host`.
 * @param names of machines, people, nodes and containers that stand in the text; a name is not replaced within another word
 * @param home the home directory, which may contain spaces
 */
export function anonymize(text: string, names: readonly string[], home: string): string {
  const withoutAddresses = text
    .replaceAll(/SHA256:[\w+/]+=*/g, 'SHA256:…')
    .replaceAll(home.length > 1 ? home : '\0', '~')
    .replaceAll(/(?<![\w/.<])\/(?:[\w.@+-]+\/)*[\w.@+-]*[\w@+-]/g, (path) =>
      COMMON_PATHS.test(path) ? path : '<path>',
    )
    .replaceAll(/\b[A-Z]:\\[^\s,;]+/g, '<path>')
    .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, '<address>')
    .replaceAll(/(?<![\w:.])[\da-f]*:[\da-f:.]*[\da-f:](?:%\w+)?/gi, (word) =>
      isIP(word) === 6 ? '<address>' : word,
    );
  // The longest first, so that pve1.example.com is not left as <name>.example.com.
  const words = [...new Set(names)]
    .filter((name) => name.length > 1 && name !== 'root')
    .sort((one, other) => other.length - one.length);
  const withoutNames = words.reduce(
    (left, word) => left.replaceAll(wholeWord(word), '<name>'),
    withoutAddresses,
  );
  return withoutNames.replaceAll(/(?<![\w.+-])(?!root@)[\w.+-]+@[\w.-]+/g, '<name>');
}

function wholeWord(name: string): RegExp {
  const literal = name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_./-])${literal}(?![\\p{L}\\p{N}_-])`, 'giu');
}
