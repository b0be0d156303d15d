import type { LoadInput } from '../config/load.ts';

/** The settings, arguments and options of one invocation of a command. */
export interface Request {
  /** Settings from the command line. */
  readonly input: LoadInput;
  /** The positional arguments of the command. */
  readonly args: readonly string[];
  /** The command's own options by flag; a switch that is on is 'true'. */
  readonly options: Readonly<Record<string, string | undefined>>;
}

/** An option of a command that is not a setting. Options with the same name mean the same in every command. */
export interface CommandOption {
  readonly flag: string;
  /** The placeholder of the value in help texts. Absent for a switch. */
  readonly placeholder?: string;
  readonly help: string;
}

/** The description of a command, for the parser and the help. Its code is loaded by `start`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Usage lines without the name of the program. */
  readonly usage: readonly string[];
  /** The maximum number of arguments; 0 if absent. */
  readonly maxArgs?: number;
  readonly options: readonly CommandOption[];
  /** Present if everything after the first argument is passed through, including options. */
  readonly passesThrough?: true;
  /** The rest of the help text. */
  readonly details: string;
  start(request: Request): Promise<void>;
}

/** For commands that print JSON for programs. */
export const JSON_OPTION: CommandOption = { flag: 'json', help: 'Print JSON, for programs' };

/** For commands that test the connection. */
export const VMID_OPTION: CommandOption = {
  flag: 'exec',
  placeholder: 'vmid',
  help: 'Also run a harmless command in this container',
};
