/** A part of a word. `quoted` parts are neither split into fields nor used as patterns. */
export type Part =
  | { readonly type: 'text'; text: string; readonly quoted: boolean }
  | ParameterPart
  | { readonly type: 'command'; readonly body: List; readonly quoted: boolean }
  | { readonly type: 'arithmetic'; readonly expression: Word; readonly quoted: boolean };

export type ParameterOperator = '-' | '=' | '?' | '+' | '#' | '##' | '%' | '%%';

/** `${name}`, `${#name}`, `${name:-word}` and so on. */
export interface ParameterPart {
  readonly type: 'parameter';
  readonly name: string;
  readonly quoted: boolean;
  readonly length?: boolean;
  readonly operator?: ParameterOperator;
  /** `:-` instead of `-`: an empty value counts as unset. */
  readonly colon?: boolean;
  readonly word?: Word;
}

export interface Word {
  readonly parts: readonly Part[];
}

export interface Assignment {
  readonly name: string;
  readonly value: Word;
}

export type RedirectionOperator = '<' | '>' | '>>' | '>|' | '<>' | '<&' | '>&' | '<<';

export interface Redirection {
  readonly operator: RedirectionOperator;
  readonly fd: number;
  /** The file, the descriptor, or the text of a here-document. */
  target: Word;
}

interface Node {
  readonly line: number;
  readonly redirections: readonly Redirection[];
}

export interface SimpleCommand extends Node {
  readonly type: 'simple';
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
}

export type CompoundCommand = Node &
  (
    | { readonly type: 'group'; readonly body: List }
    | { readonly type: 'subshell'; readonly body: List }
    | {
        readonly type: 'if';
        readonly clauses: readonly { readonly condition: List; readonly body: List }[];
        readonly otherwise: List | undefined;
      }
    | { readonly type: 'loop'; readonly until: boolean; readonly condition: List; readonly body: List }
    | {
        readonly type: 'for';
        readonly name: string;
        readonly words: readonly Word[] | undefined;
        readonly body: List;
      }
    | {
        readonly type: 'case';
        readonly word: Word;
        readonly items: readonly { readonly patterns: readonly Word[]; readonly body: List }[];
      }
  );

export interface FunctionDefinition extends Node {
  readonly type: 'function';
  readonly name: string;
  readonly body: Command;
}

export type Command = SimpleCommand | CompoundCommand | FunctionDefinition;

export interface Pipeline {
  readonly negated: boolean;
  readonly commands: readonly Command[];
}

/** Pipelines joined by && and ||. */
export interface AndOr {
  readonly first: Pipeline;
  readonly rest: readonly { readonly operator: '&&' | '||'; readonly pipeline: Pipeline }[];
  readonly background: boolean;
}

export type List = readonly AndOr[];
