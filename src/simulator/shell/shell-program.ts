import { FileError } from '../files/inode.ts';
import { fromBytes } from '../kernel/bytes.ts';
import type { Call, Program } from '../programs/program.ts';
import { Executor } from './execute.ts';
import { BASH_VERSION, type Dialect, Shell } from './posix-shell.ts';
import { runCommandText, runInput, runText } from './run-script.ts';
import { setOptions } from './shell-options.ts';

/** sh, dash, bash or ash as a program: `sh -c TEXT NAME ARG…`, `sh FILE ARG…`, or a script on stdin. */
export function shellProgram(dialect: Dialect): Program {
  return async (call) => {
    const args = [...call.args];
    const letters: string[] = [];
    let isText = false;
    let usesStdin = false;
    const shell = new Shell(call.process, { dialect, arg0: call.process.argv[0] ?? 'sh', positional: [] });
    while (/^[-+]./.test(args[0] ?? '') && args[0] !== '--') {
      const option = args.shift() ?? '';
      if (/^--(posix|norc|noprofile|login)$/.test(option)) continue;
      if (option === '--version') {
        await call.print(`GNU bash, version ${BASH_VERSION} (x86_64-pc-linux-gnu)\n`);
        return 0;
      }
      if (/^[-+]o$/.test(option)) {
        letters.push(option, args.shift() ?? '');
        continue;
      }
      if (option.startsWith('-') && option.includes('c')) isText = true;
      if (option.startsWith('-') && option.includes('s')) usesStdin = true;
      const rest = option.slice(1).replaceAll(/[csil]/g, '');
      if (rest !== '') letters.push(`${option[0]}${rest}`);
    }
    if (args[0] === '--') args.shift();
    await setOptions(shell, letters);
    if (dialect === 'bash') await readBashrc(call, shell);
    if (isText) {
      const text = args.shift();
      if (text === undefined) {
        await call.warn(`${fromBytes(shell.arg0)}: 0: -c requires an argument\n`);
        return 2;
      }
      shell.arg0 = args.shift() ?? shell.arg0;
      shell.positional = args;
      return runCommandText(shell, text);
    }
    const [file] = args;
    if (usesStdin || file === undefined) {
      shell.positional = args;
      return runInput(shell);
    }
    let text: string;
    try {
      text = (await call.sys.readFile(file)).toString('latin1');
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await call.warn(
        `${fromBytes(shell.arg0)}: 0: cannot open ${fromBytes(file)}: ${error.code === 'ENOENT' ? 'No such file' : error.text}\n`,
      );
      return error.code === 'ENOENT' ? 127 : 126;
    }
    shell.arg0 = file;
    shell.positional = args.slice(1);
    return runCommandText(shell, text);
  };
}

/** bash reads the .bashrc of its user when sshd starts it, interactive or not. */
async function readBashrc({ process, sys }: Call, shell: Shell): Promise<void> {
  if (!process.env.has('SSH_CONNECTION') || process.session !== process.pid) return;
  const home = process.env.get('HOME') ?? '/';
  if ((await sys.find(`${home}/.bashrc`))?.kind !== 'file') return;
  const text = (await sys.readFile(`${home}/.bashrc`)).toString('latin1');
  await runText(new Executor(shell), text);
}
