/*
 * Checks the English of src, docs, README, CHANGELOG, and of the comments and names of tests against a list of phrases:
 * node scripts/check-language.mjs [FILE…]. Each phrase was in the project and was hard to understand. Add a phrase when it
 * appears again, but none that is correct English in another context.
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
  [/\bsomebody\b/, 'a user, a process; or the passive'],
  [
    /\bnobody (?:can|could|may|will|has|had|is|was|waits|knows|listens|answers|reads|types|signed|listed)\b/,
    'no user can; or the passive',
  ],
  [/\bthose who\b/, 'callers that, users who'],
  [/\bwhat is no (?!longer)/, 'anything other than'],
  [/\bwhat (?:stands|lies)\b/, 'what is'],
  [/\bover there\b/, 'on the node, in the container'],
  [/\bfar ends?\b/, 'remote end, node'],
  [/\bsecond door\b/, 'access without the code under test'],
  [/\b(?:hang|hangs|hung|hanging) up\b/, 'closes the connection'],
  [/\bheld up by\b|\bholds? up (?:a|the)\b/, 'delayed by'],
  [/\blets? go of\b/, 'releases'],
  [/\bto be had\b/, 'available'],
  [/\b(?:go|goes|went) on (?:to run|running|by itself|without)\b/, 'continues'],
  [/\bcomes? to an end\b/, 'ends'],
  [/\bget(?:s|ting)? away with\b/, 'is accepted'],
  [/\btakes? no notice\b/, 'ignores'],
  [/\bby the word of\b/, 'according to'],
  [/\bits own affair\b/, 'not checked'],
  [/\b(?:dies|die|died) of it\b/, 'is killed by it'],
  [/\bin (?:its|their) midst\b/, 'while it runs'],
  [/\bonce more\b/, 'again'],
  [/\ball the same\b/, 'anyway'],
];

/** What the name of a test must not begin with: it states behavior, with a subject and a verb, or with a verb alone. */
const NAME_BEGINNING =
  /^(?:what|who|whose|whoever|nobody|somebody|no one|everyone|those|neither|nor|so|and|but|it|they|one) /i;

/** Names of tests and cases, as string literals. */
const NAMES = [
  /\b(?:it|test|describe|describeNode|describeRig)(?:\.\w+(?:\([^()]*\))?)*\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g,
  /\]\)\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1,\s*(?:async )?\(/g,
  /\bneeding\(\s*'[^']*',\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g,
  /^ {4}name: (['"])((?:(?!\1)[^\\]|\\.)*)\1/gm,
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

/** The names of tests in a text, by line. */
function namesIn(text) {
  const names = new Map();
  for (const match of NAMES.flatMap((pattern) => [...text.matchAll(pattern)])) {
    const line = text.slice(0, match.index + match[0].length).split('\n').length;
    names.set(`${line} ${match[2]}`, { line, name: match[2] });
  }
  return [...names.values()];
}

/** The findings in a file of tests: in its comments and names, because other strings may be anything. */
function findInTest(text) {
  const comments = text
    .split('\n')
    .map((line) => (/^\s*(?:\/\*\*|\*|\/\/|#) /.test(line) ? line : ''))
    .join('\n');
  const names = namesIn(text).flatMap(({ line, name }) => {
    const [beginning] = NAME_BEGINNING.exec(name) ?? [];
    const found = findPhrases(name).map((each) => ({ ...each, line }));
    if (beginning === undefined) return found;
    return [...found, { line, phrase: name, instead: 'reports…, refuses…, a subject and its verb' }];
  });
  return [...findPhrases(comments), ...names].sort((one, other) => one.line - other.line);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const CHECKED = ['src', 'test', 'docs', 'README.md', 'CHANGELOG.md'];
const TEXT = /\.(?:ts|md|sh)$/;
const TEST = /^test\/|\.test\.ts$/;

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
const lines = files.flatMap((file) => {
  const text = readFileSync(path.resolve(root, file), 'utf8');
  const found = TEST.test(file) && !file.endsWith('.md') ? findInTest(text) : findPhrases(text);
  return found.map(
    ({ line, phrase, instead }) => `${file}:${line}: "${phrase}": write, for example, "${instead}"`,
  );
});
for (const line of lines) console.error(line);
if (lines.length > 0) process.exitCode = 1;
else console.log(`the language check has no findings in ${files.length} files`);
