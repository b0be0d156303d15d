import {
  applyEdits,
  findNodeAtLocation,
  getNodeValue,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';

/** A configuration file that cannot be changed. The message says why. */
export class UnreadableConfig extends Error {}

/**
 * Adds or replaces the entry of a server in a client's JSON configuration. The rest stays byte for byte the same, including
 * comments. Pure.
 * @throws UnreadableConfig if the file is not JSON, or if its section of servers is not an object
 */
export function mergeClientConfig(
  before: string | undefined,
  section: string,
  name: string,
  entry: object,
): string {
  const bom = before?.startsWith('\uFEFF') ? '\uFEFF' : '';
  const text = before?.slice(bom.length) ?? '';
  if (text.trim() === '') return `${bom}${JSON.stringify({ [section]: { [name]: entry } }, null, 2)}\n`;
  const root = parse(text);
  const servers = findNodeAtLocation(root, [section]);
  if (servers !== undefined && servers.type !== 'object') {
    throw new UnreadableConfig(`its "${section}" is not an object`);
  }
  const layout = layoutOf(text);
  const old = findNodeAtLocation(root, [section, name]);
  if (old !== undefined) return bom + replace(text, old, entry, layout);
  const into = servers ?? root;
  const [key, value] = servers === undefined ? [section, { [name]: entry }] : [name, entry];
  if (lastChild(into) !== undefined && text.includes('\n'))
    return bom + append(text, into, key, value, layout);
  const formattingOptions = {
    insertSpaces: layout.indent !== '\t',
    tabSize: layout.indent.length,
    eol: layout.eol,
  };
  return bom + applyEdits(text, modify(text, [section, name], entry, { formattingOptions }));
}

/** The current entry of a server; undefined if there is none. @throws UnreadableConfig */
export function readClientEntry(text: string, section: string, name: string): unknown {
  const node = findNodeAtLocation(parse(text.replace(/^\uFEFF/, '')), [section, name]);
  return node === undefined ? undefined : getNodeValue(node);
}

/** Removes the entry of a server from a client's configuration. The rest stays the same. Pure. @throws UnreadableConfig */
export function removeClientEntry(before: string, section: string, name: string): string {
  const bom = before.startsWith('\uFEFF') ? '\uFEFF' : '';
  const text = before.slice(bom.length);
  if (findNodeAtLocation(parse(text), [section, name]) === undefined) return before;
  const { indent, eol } = layoutOf(text);
  const formattingOptions = { insertSpaces: indent !== '\t', tabSize: indent.length, eol };
  return bom + applyEdits(text, modify(text, [section, name], undefined, { formattingOptions }));
}

function parse(text: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split('\n').length;
    throw new UnreadableConfig(`line ${line} is not JSON (${printParseErrorCode(error.error)})`);
  }
  if (root?.type !== 'object') throw new UnreadableConfig('it is not a JSON object');
  return root;
}

interface Layout {
  /** One indentation step. */
  readonly indent: string;
  readonly eol: string;
}

function layoutOf(text: string): Layout {
  return {
    indent: /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ',
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}

function replace(text: string, node: Node, value: unknown, layout: Layout): string {
  const margin = marginAt(text, node.offset);
  return text.slice(0, node.offset) + printed(value, margin, layout) + text.slice(node.offset + node.length);
}

/** Appends a property to an object. The library would also reformat the property before it. */
function append(text: string, object: Node, key: string, value: unknown, layout: Layout): string {
  const last = lastChild(object);
  if (last === undefined) return text;
  const end = last.offset + last.length;
  const margin = marginAt(text, last.offset);
  const property = `${JSON.stringify(key)}: ${printed(value, margin, layout)}`;
  return `${text.slice(0, end)},${layout.eol}${margin}${property}${text.slice(end)}`;
}

function printed(value: unknown, margin: string, { indent, eol }: Layout): string {
  return JSON.stringify(value, null, indent).replaceAll('\n', `${eol}${margin}`);
}

/** The indentation of the line at `offset`. */
function marginAt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart, offset))?.[0] ?? '';
}

function lastChild(object: Node): Node | undefined {
  return object.children?.at(-1);
}
