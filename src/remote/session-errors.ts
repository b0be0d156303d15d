import { AppError } from '../lib/errors.ts';
import { disconnected } from './remote-errors.ts';

/** How a login shell failed to start `/bin/sh`. */
export interface LoginTrouble {
  readonly ended: 'exited' | 'silent' | 'endless' | 'interpreter' | 'lost' | 'noexec' | 'intercept';
  readonly code?: number | null;
  readonly interpreter?: string;
  /** Whether lines end as on a terminal. */
  readonly onTerminal: boolean;
  /** The stream without an answer, if the shell has answered on the other one. */
  readonly redirected?: 'stdout' | 'stderr' | undefined;
  /** The output on each stream. Untrusted. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A part of our own lines, which a terminal prints. */
export const HANDSHAKE_PART = '</proc/sys/kernel/random/boot_id';
/** Lines of sudo or sudo-rs that mean a refusal. Other lines, such as `unable to resolve host`, are warnings. */
const SUDO_REFUSAL =
  /^sudo(?:-rs)?: (a password is required|interactive authentication is required|I'm sorry |authentication failed|maximum \d+ incorrect|a terminal is required|no tty present|sorry,|no valid sudoers|error initializing|account validation failure|.*(must be owned by uid 0|effective uid is not 0))|^sudo:\s.*: command not found|^Sorry, user .* (is not allowed|may not run)|is not in the sudoers file|is not allowed to (run sudo|execute)|(^|[\s:])sudo: (command )?not found|Unknown command:? '?sudo|This incident (will be|has been) reported/im;
const SHOWN = 200;

/** The error for a session without a shell, with the most likely cause. */
export function noShell(trouble: LoginTrouble, sudo: boolean): AppError {
  if (trouble.ended === 'lost') return disconnected('opening a session');
  const stderr = trouble.stderr.trim();
  const printed = [trouble.stdout.trim(), stderr].filter((text) => text !== '').join('\n');
  if (trouble.ended === 'noexec') return sudoNoexec();
  if (trouble.ended === 'intercept') return sudoIntercept();
  if (trouble.ended === 'exited' && cannotFork(trouble.stderr)) return nodeFull();
  if (sudo && trouble.ended === 'exited' && SUDO_REFUSAL.test(trouble.stderr)) return sudoRefused(stderr);
  const failure = sudo && trouble.ended === 'exited' ? sudoLine(stderr) : '';
  if (failure !== '') return sudoFailed(failure, stderr);
  if (trouble.ended === 'interpreter') return replaced(trouble.interpreter ?? 'another shell', stderr);
  if (trouble.redirected !== undefined && !printed.includes(HANDSHAKE_PART)) {
    return redirected(trouble.redirected, stderr);
  }
  // An error message can contain our line, too, as a terminal does.
  const other = interpreterIn(printed);
  if (other !== undefined) return replaced(other, stderr);
  if (printed.includes(`${HANDSHAKE_PART};`) && !trouble.onTerminal) return repeated(stderr);
  if (printed.includes(HANDSHAKE_PART)) return onTerminal(stderr);
  const said = printed === '' ? '' : ` It printed: ${JSON.stringify(printed.slice(0, SHOWN))}.`;
  if (trouble.ended === 'exited') {
    const code =
      trouble.code === null || trouble.code === undefined
        ? 'without an exit code'
        : `with exit code ${trouble.code}`;
    return new AppError(
      'SSH_NO_SESSION',
      `The SSH login succeeded, but no command can run: another program ran instead of /bin/sh and ended ${code}.${said} The command was not executed.`,
      'Check the node for a login shell that runs no commands (nologin, rbash; `chsh` changes it), ForceCommand in sshd_config, command= in authorized_keys, and `exit`, `exec`, limits (`ulimit`) or a redirected stdin in the start-up files of the login shell (.bashrc, .zshenv, config.fish).',
      { stderr },
    );
  }
  if (trouble.ended === 'endless') {
    return new AppError(
      'SSH_NO_SESSION',
      `The SSH login succeeded, but no command can run: a start-up file or a ForceCommand prints without an end.${said} The command was not executed.`,
      'Check the start-up files of the login shell (.bashrc, .zshenv, config.fish) on the node for a command that never stops printing, and ForceCommand in sshd_config.',
      { stderr },
    );
  }
  const question = printed.slice(printed.lastIndexOf('\n') + 1).trim();
  return new AppError(
    'SSH_NO_SESSION',
    question === '' || printed.endsWith('\n')
      ? `The SSH login succeeded, but no command can run: no POSIX shell answers in time.${said} The command was not executed.`
      : `The SSH login succeeded, but no command can run: a program waits for input after ${JSON.stringify(question.slice(-SHOWN))}. The command was not executed.`,
    'Check the node for a question (`read`), `exec`, or a slow or endless command (`sleep`, a network file system) in the start-up files of the login shell (.bashrc, .zshenv, config.fish), and for ForceCommand in sshd_config. To skip such lines in non-interactive shells, put `[ -t 0 ] || return` before them.',
    { stderr },
  );
}

/** The shell or terminal multiplexer, recognized by its error messages about our lines. */
export function interpreterIn(printed: string): string | undefined {
  if (/\bfish: |In fish, |fish_pid/.test(printed)) return 'fish';
  if (/open terminal failed|tmux: |no server running on .*tmux/.test(printed)) return 'tmux';
  if (/Must be connected to a terminal/.test(printed)) return 'screen';
  if (/\bzsh: /.test(printed)) return 'zsh';
  if (/Undefined variable\.|Missing name for redirect|Bad : modifier/.test(printed)) return 'csh';
  return undefined;
}

function replaced(interpreter: string, stderr: string): AppError {
  return new AppError(
    'SSH_NO_SESSION',
    `The SSH login succeeded, but a start-up file replaces the login shell with ${interpreter}, so no command can run. The command was not executed.`,
    `Find \`exec ${interpreter}\` in .bashrc or .profile on the node. Put \`[ -t 0 ] &&\` before it, or make ${interpreter} the login shell with chsh.`,
    { stderr },
  );
}

function onTerminal(stderr: string): AppError {
  return new AppError(
    'SSH_NO_SESSION',
    'The SSH login succeeded, but no command can run: a ForceCommand or a start-up file puts a terminal around the session, which changes the output of commands and mixes their streams. The command was not executed.',
    'Check ForceCommand in sshd_config, command= in authorized_keys, and the start-up files of the login shell (.bashrc, .zshenv, config.fish) on the node for `script`, `tmux` or a session recorder. Exclude the SSH user, or sessions without a terminal: put `[ -t 0 ] &&` before it.',
    { stderr },
  );
}

function repeated(stderr: string): AppError {
  return new AppError(
    'SSH_NO_SESSION',
    'The SSH login succeeded, but no command can run: a start-up file or a ForceCommand runs a program that reads the commands in place of /bin/sh, and prints them. The command was not executed.',
    'Check the start-up files of the login shell (.bashrc, .zshenv, config.fish) on the node for a program that reads stdin (`cat`, `tee`), and give it `</dev/null`. Check ForceCommand in sshd_config.',
    { stderr },
  );
}

function redirected(stream: 'stdout' | 'stderr', stderr: string): AppError {
  return new AppError(
    'SSH_NO_SESSION',
    `The SSH login succeeded, but no command can run: a start-up file or a ForceCommand redirects ${stream}, so the output of commands would be lost. The command was not executed.`,
    'Check the start-up files of the login shell (.bashrc, .zshenv, config.fish) on the node for `exec` with a redirection, such as `exec 2>FILE` or `exec > >(tee FILE) 2>&1`, and put `[ -t 0 ] &&` before it. Check ForceCommand in sshd_config and command= in authorized_keys for `2>&1` and the like.',
    { stderr },
  );
}

/** The error for a session whose exit code is that of another program, such as the shell around it. */
export function noExitCode(): AppError {
  return new AppError(
    'SSH_NO_SESSION',
    'The SSH login succeeded, but exit codes do not arrive: a start-up file or a ForceCommand runs another shell or program around the session. The command was not executed.',
    'Check the start-up files of the login shell (.bashrc, .zshenv, config.fish) on the node for a shell that they start (`bash`, `su`, `newgrp`), and put `[ -t 0 ] &&` before it. A ForceCommand or command= must end with `exec` of the original command.',
  );
}

/** Whether a shell says that it could not start another process. */
export function cannotFork(stderr: string): boolean {
  return /\b(?:Cannot fork|can't fork|fork: (?:retry: )?Resource temporarily unavailable)/.test(stderr);
}

/** The error for a node that cannot start another process. @param limit a sentence about the limit, if it is known */
export function nodeFull(limit = 'Its limit of processes is reached (Cannot fork).'): AppError {
  return new AppError('SSH_NO_SESSION', `The node cannot start another process for the SSH user. ${limit}`, {
    model:
      'Tell the user that the node, or the login of the SSH user on it, has reached its limit of processes.',
    person:
      'End processes on the node, or raise the limit: compare `ps -eLf | wc -l` with /proc/sys/kernel/pid_max, and see the tasks in `systemctl status ssh user.slice` and `ulimit -u` of the SSH user.',
  });
}

/** sudo has started the shell, but the shell cannot start other programs. */
function sudoNoexec(): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'sudo on the node runs /bin/sh, but does not let it start other programs (NOEXEC in the sudo rules). The command was not executed.',
    'Change the sudo rule of the SSH user on the node to `NOPASSWD: EXEC: /bin/sh`, which also overrides `Defaults noexec`.',
  );
}

/** sudo lets the shell start programs only that the sudo rules allow, too. */
function sudoIntercept(): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'sudo on the node runs /bin/sh, but does not let it start other programs (INTERCEPT in the sudo rules). The command was not executed.',
    'Change the sudo rule of the SSH user on the node to `NOPASSWD: EXEC: NOINTERCEPT: /bin/sh`, which also overrides `Defaults intercept`.',
  );
}

/** sudo allows the shell, but could not start it, for example because it cannot write its log. */
function sudoFailed(line: string, stderr: string): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    `sudo on the node could not run /bin/sh (${line.slice(0, SHOWN)}). The command was not executed.`,
    'Correct the cause on the node: the settings in /etc/sudoers and /etc/sudoers.d, or the file or directory that the message names.',
    { stderr },
  );
}

/** The first message of sudo that is not a warning about the host name. */
function sudoLine(stderr: string, pattern = /^sudo(?:-rs)?: .*/m): string {
  return pattern.exec(stderr.replaceAll(/^.*unable to resolve host.*$/gm, ''))?.[0] ?? '';
}

function sudoRefused(stderr: string): AppError {
  const line = sudoLine(stderr, /^sudo.*|.*\bsudo\b.*/m);
  const reason = line === '' ? '' : ` (${line.slice(0, SHOWN)})`;
  return new AppError(
    'PERMISSION_DENIED',
    `sudo on the node refused to run /bin/sh without a password${reason}. The command was not executed.`,
    /must have a tty/.test(stderr)
      ? 'Remove `Defaults requiretty` from the sudo rules of the node, or add `Defaults:USER !requiretty` for the SSH user.'
      : 'Log in as root, or allow the SSH user to run /bin/sh with sudo and NOPASSWD (`proxmox-mcp doctor` prints the rule).',
    { stderr },
  );
}
