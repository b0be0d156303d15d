import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Process {
  /** PID on this machine. */
  readonly pid: number;
  /** The name that the kernel keeps, at most 15 characters. */
  readonly comm: string;
  /** Arguments, joined by spaces; empty for a zombie. */
  readonly cmdline: string;
  /** One letter: R running, S sleeping, D frozen or in a system call, Z zombie … */
  readonly state: string;
  readonly parent: number;
}

type NamespaceKind = 'mnt' | 'pid';

/** Reads a process that can end at any time: undefined if it has ended. */
function whileItLives<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

export function namespaceOf(pid: number, kind: NamespaceKind): string | undefined {
  return whileItLives(() => readlinkSync(`/proc/${pid}/ns/${kind}`));
}

/** The fields of /proc/PID/stat after the name: state, parent, … The name itself can contain spaces and parentheses. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Together with the PID it identifies one process; undefined if there is none, or only a zombie. */
export function startTime(pid: number): string | undefined {
  const fields = whileItLives(() => statFields(pid));
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

export function readProcess(pid: number): Process | undefined {
  return whileItLives(() => {
    const [state = '?', parent = '0'] = statFields(pid);
    return {
      pid,
      comm: readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd(),
      cmdline: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trimEnd(),
      state,
      parent: Number(parent),
    };
  });
}

/** All processes in the namespace of this process, including itself. */
export function processesSharing(pid: number, kind: NamespaceKind): Process[] {
  const namespace = namespaceOf(pid, kind);
  if (namespace === undefined) {
    return [];
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => namespaceOf(candidate, kind) === namespace)
    .flatMap((candidate) => readProcess(candidate) ?? []);
}
