/*
 * Checks the English of src, docs, README and CHANGELOG against a list of phrases: node scripts/check-language.mjs [FILE…]
 * Each phrase stood here once and had to be read twice. Add a phrase when it comes back; add no phrase that is right somewhere.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Phrases, case-insensitive, each with a replacement. */
const PHRASES = [
  [/\bcan not\b/, 'cannot'],
  [/\bin vain\b/, 'without success'],
  [/\btakes new ones\b/, 'new ones are added here'],
  [/\b(?:the|a|this|that|no) yes\b(?! or no|\/)/, 'the approval'],
  [/\bperson's yes\b/, 'approval'],
  [/\b(?:on|off the) record\b/, 'logged, in the audit log'],
  [/\blook(?:s|ed|ing)? after\b/, 'manage, check'],
  [/\bin spite of (?:that|this|it)\b/, 'anyway'],
  [/\banew\b/, 'again'],
  [/\bwho(?:ever|soever)\b/, 'the caller, the user, anyone who'],
  [/\bnobody (?:to ask|can be asked|is asked)\b/, 'no approver is available'],
  [/\b(?:way|ways) (?:in|into (?:a |the )?containers?)\b(?! which| that)/, 'attach method'],
  [/\blets? itself\b/, 'can be'],
  [/\bstands? beside\b/, 'is next to'],
  [/\b(?:came|comes|come) too late\b/, 'expired'],
  [/\bcame to (?:a good|an|its|their) end\b/, 'ended, failed'],
  [/\bends? in order\b|\bended in order\b/, 'ends normally'],
  [/\btold apart\b/, 'distinguished'],
  [/\bwhat is none\b/, 'out of scope'],
  [/\bhung up before it said\b/, 'closed the connection before'],
  [/\bof its own accord\b/, 'automatically'],
  [/\bat the far side\b|\bon the far side\b/, 'on the node, on the server'],
  [/\bgive(?:s|n)? way\b/, 'is closed'],
  [/\bfor the next person\b/, 'maintainer notes'],
  [/\bwithout a word\b/, 'without a message'],
  [/\bthe house\b/, 'the architecture'],
  [/\bsees to it\b|\bsee to it\b/, 'makes sure'],
];

/** The phrases in a text, by line. The text may break a phrase across lines, also after a comment marker. */
function findPhrases(text) {
  const found = [];
  for (const [pattern, instead] of PHRASES) {
    const spaced = new RegExp(
      pattern.source.replaceAll(' ', String.raw`(?: |\r?\n[ \t]*(?:(?:\*|\/\/|#|>)[ \t]*)?)`),
      'gi',
    );
    for (const match of text.matchAll(spaced)) {
      const line = text.slice(0, match.index).split('\n').length;
      found.push({ line, phrase: match[0].replaceAll(/\s*\n[\s*/#>]*/g, ' '), instead });
    }
  }
  return found.sort((one, other) => one.line - other.line);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const CHECKED = ['src', 'docs', 'README.md', 'CHANGELOG.md'];
const TEXT = /\.(?:ts|md|sh)$/;

function filesIn(name) {
  const file = path.resolve(root, name);
  if (!existsSync(file)) return [];
  if (!statSync(file).isDirectory()) return [name];
  return readdirSync(file, { recursive: true, encoding: 'utf8' })
    .map((inner) => path.join(name, inner))
    .filter((inner) => TEXT.test(inner));
}

const named = process.argv.slice(2);
const files = (named.length > 0 ? named : CHECKED).flatMap(filesIn);
const lines = files.flatMap((file) =>
  findPhrases(readFileSync(path.resolve(root, file), 'utf8')).map(
    ({ line, phrase, instead }) => `${file}:${line}: "${phrase}": write, for example, "${instead}"`,
  ),
);
for (const line of lines) console.error(line);
if (lines.length > 0) process.exitCode = 1;
else console.log(`the language check has no findings in ${files.length} files`);
