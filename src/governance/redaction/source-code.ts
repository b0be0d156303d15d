const EXTENSIONS = '[cm]?[jt]sx?|py|go|rs|java|kt|rb|php|c|h|cc|cpp|hpp|cs|swift|vue|svelte|scala|lua|p[lm]';
/** The prefix of `grep -n` before a line. */
const GREP_PREFIX = new RegExp(String.raw`^[\w./@-]{1,200}\.(?:${EXTENSIONS})[:-](?:\d+[:-])?`);
const KEYWORD =
  /^\s*(?:export\s+(?:const|let|default|function|async|class|type|interface)|const|let|var|if|elif|else|while|for|foreach|return|def|function|fn|func|pub|private|public|protected|static|final|import|from|class|interface|type|async|await|assert|expect|raise|throw|yield|switch|case|val|my|our|struct|impl)\b(?!\s*[=:])|^\s*(?:self|this)\.|^\s*(?:\/\/\s|\/\*|\*\s|@\w)/;
const OPERATOR = /\s[!=]==?\s|&&|\?\?|=>|\w\(|\)\s*[{:;,]|[{(;]\s*$|\bnew\s|\bawait\s/;
/** Excluded, because its separators and ends look like those of statements. */
const CONNECTION_STRING =
  /\b(?:server|host|data source|uid|user id|user|database|initial catalog|account\w*)\s?=/i;

/** Whether a line is a statement of a programming language, in which an unquoted value is an expression. */
export function isCodeLine(line: string): boolean {
  if (GREP_PREFIX.test(line)) return true;
  if (KEYWORD.test(line)) return true;
  return OPERATOR.test(line) && !(line.includes(';') && CONNECTION_STRING.test(line));
}

const CODE_SIGNS =
  /^[^\n]{0,80}?(?:\bimport .{1,200} from ['"]|\bimport [\w.{]+|\bfrom \S+ import |\bdef \w+\(|\bclass \w+[\s(:{]|\bfunction\s?\w*\(|\b(?:const|let|var) [\w{[]|#include\b|\bpackage \w+;?$|\bfunc [\w(]|\bfn \w+|<\?php|\bpublic \w+ \w+|\bmodule\.exports|\brequire\(|=> \{$|\breturn\b.*;$)/gm;
/** Size of a block. Blocks are classified separately, with a block before and after, because a text may contain several files. */
const BLOCK = 2000;
let last = { text: '', block: -1, isCode: false };

/** Whether the text around an offset is source code, which takes two matching lines. Cached for the last block. */
export function isCodeAround(text: string, at: number): boolean {
  const block = Math.floor(at / BLOCK);
  if (last.block === block && last.text === text) return last.isCode;
  const around = text.slice(Math.max(0, (block - 1) * BLOCK), (block + 2) * BLOCK);
  let signs = 0;
  for (const _ of around.matchAll(CODE_SIGNS)) {
    signs += 1;
    if (signs === 2) break;
  }
  last = { text, block, isCode: signs === 2 };
  return last.isCode;
}

/** A name, a member, or a number. */
export function isOperand(value: string): boolean {
  return /^[A-Za-z_$&*][\w$]*(?:\.[A-Za-z_$][\w$]*)*$|^\d+$/.test(value);
}

/** Whether an unquoted value is an expression of a programming language: a call, a member, an index. */
export function isExpression(value: string, after: string): boolean {
  if (/^[A-Za-z_$][\w$.]*[([]/.test(`${value}${after}`)) return true;
  if (/->|::|\?\./.test(value)) return true;
  return /^(?:\$?this|self|req|request|res|ctx|os|process|config|settings|env|args|argv|body|form|user|params?|options|opts|props|state|data|input|cfg|conf|app|session|event|e|\w*(?:pass(?:word)?|token|secret|creds?|credentials))\.[A-Za-z_$][\w$.]*$/i.test(
    value,
  );
}
