import type { GroupName } from './groups.ts';
import type { Scripts } from './machine.ts';

/** A broken script: a case that still passes with it proves nothing. */
export interface Mutation {
  readonly name: string;
  readonly script: keyof Scripts;
  readonly group: GroupName;
  /** Name of the case that must fail. */
  readonly caughtBy: string;
  readonly from: string;
  readonly to: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a read that takes an offset for the number of a block',
    script: 'readFile',
    group: 'readFile',
    caughtBy: 'sends bytes from 9000 on, with what precedes them',
    from: 'tail -c "+$((from % 4096 + 1))"',
    to: 'cat',
  },
  {
    name: 'a read that forgets a last line without a newline',
    script: 'readFile',
    group: 'readFile',
    caughtBy: 'counts a last line without a newline',
    from: 'lines + 1 - $(tail',
    to: 'lines + 0 * $(tail',
  },
  {
    name: 'an edit that does not look whether the file has changed',
    script: 'editFile',
    group: 'editFile',
    caughtBy: 'refuses a file that has changed since it was sent',
    from: '[ "$h" = "$before" ]',
    to: 'true',
  },
  {
    name: 'an edit that publishes what is not valid',
    script: 'editFile',
    group: 'editFile',
    caughtBy: 'keeps the old content when the new one is not valid before it is replaced',
    from: 'validate; tell\n    [ "$code" = 0 ]',
    to: 'validate; tell\n    true',
  },
  {
    name: 'an edit that does not restore',
    script: 'editFile',
    group: 'editFile',
    caughtBy: 'restores the old content when the new one is not valid after it was replaced',
    from: 'mv -f "$old" "$dest"',
    to: ':',
  },
  {
    name: 'an edit that publishes without a verdict',
    script: 'editFile',
    group: 'editFile',
    caughtBy: 'keeps the old content when the verdict is wrong',
    from: '[ "$verdict" = "$w" ]',
    to: 'true',
  },
  {
    name: 'an edit that runs what it has of a command',
    script: 'editFile',
    group: 'editFile',
    caughtBy: 'runs no command that was cut',
    from: '[ "$(length "$cmd")" = "$length" ]',
    to: 'true',
  },
  {
    name: 'a copy that passes on all that the source writes',
    script: 'copy',
    group: 'copy',
    caughtBy: 'takes no verdict from the source, however much it writes',
    from: 'count="$count" iflag=fullblock',
    to: 'iflag=fullblock',
  },
  {
    name: 'a copy that waits for a verdict after a short source',
    script: 'copy',
    group: 'copy',
    caughtBy: 'ends without waiting for a verdict when the source is short',
    from: '|| exit 1\n',
    to: '|| :\n',
  },
  {
    name: 'a directory that is published without a verdict',
    script: 'receiveTree',
    group: 'copy',
    caughtBy: 'publishes no directory when the verdict is wrong',
    from: '[ "$verdict" = "$w" ]',
    to: 'true',
  },
  {
    name: 'a digest of a directory that knows no contents',
    script: 'sendTree',
    group: 'copy',
    caughtBy: 'tells directories apart by names and by contents',
    from: 'find . -type f -exec sha256sum',
    to: 'find . -type f -exec echo',
  },
  {
    name: 'a precondition that does not look whether the container is on the node',
    script: 'precondition',
    group: 'precondition',
    caughtBy: 'refuses when the container is on another node, and does not redeem its approval',
    from: 'refuse moved',
    to: ':',
  },
  {
    name: 'a search for the own container that takes the word as any argument',
    script: 'ownContainer',
    group: 'ownContainer',
    caughtBy: 'takes no process that has the word as another argument or as part of one',
    from: '"^$1"',
    to: '"$1"',
  },
  {
    name: 'a search for the own container that ends with the first process',
    script: 'ownContainer',
    group: 'ownContainer',
    caughtBy: 'prints the cgroup of each process under the word',
    from: '    cat "$p/cgroup" || exit\n',
    to: '    cat "$p/cgroup"; break\n',
  },
  {
    name: 'a search for the own container that is complete without a cgroup',
    script: 'ownContainer',
    group: 'ownContainer',
    caughtBy: 'does not say that it is complete where a cgroup cannot be read',
    from: ' || exit\n  done',
    to: '\n  done',
  },
  {
    name: 'a kill that does not kill',
    script: 'kill',
    group: 'kill',
    caughtBy: 'kills a process that ignores TERM, and leaves bystanders alone',
    from: 'kill -KILL $live',
    to: ':',
  },
  {
    name: 'a kill that reports no survivors',
    script: 'kill',
    group: 'kill',
    caughtBy: 'names what is left when it has no time to kill',
    from: 'echo "$n item left $p $c"',
    to: ':',
  },
  {
    name: 'a kill that ignores the timer slack',
    script: 'kill',
    group: 'kill',
    caughtBy:
      'kills a daemon: double-forked, in a session of its own, without environment, and leaves bystanders alone',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: text of the script
    from: 'slow="$slow${p%/timerslack_ns} "',
    to: ':',
  },
  {
    name: 'a kill that ignores the age of a process',
    script: 'kill',
    group: 'kill',
    caughtBy: 'kills a plain child, and leaves bystanders alone',
    from: '[ "$4" -ge "$since" ]',
    to: 'true',
  },
  {
    name: 'a kill that takes the session of an older process',
    script: 'kill',
    group: 'kill',
    caughtBy: 'leaves the session of an older process alone',
    from: 'case $sids$old in',
    to: 'case $sids in',
  },
  {
    name: 'an upload that publishes without the confirmation of the digest',
    script: 'upload',
    group: 'upload',
    caughtBy: 'keeps the old content when the digest is rejected',
    from: '[ "$verdict" = "$w" ]',
    to: 'true',
  },
  {
    name: 'an upload that accepts too little data',
    script: 'upload',
    group: 'upload',
    caughtBy: 'refuses data that is too short, and keeps the old content',
    from: '[ "$got" = "$size" ]',
    to: 'true',
  },
  {
    name: 'an upload that does not read the file back',
    script: 'upload',
    group: 'upload',
    caughtBy: 'keeps the temporary file private, and the old content until the digest is confirmed',
    from: 'sum=$($digest <"$tmp")',
    to: 'sum=$(printf x | sha256sum)',
  },
  {
    name: 'an upload that does not rename',
    script: 'upload',
    group: 'upload',
    caughtBy: 'replaces a file and keeps its mode',
    from: 'mv -f "$tmp" "$dest"',
    to: ':',
  },
  {
    name: 'an upload that leaves its temporary file behind',
    script: 'upload',
    group: 'upload',
    caughtBy: 'keeps the old content when the input ends before the digest is confirmed',
    from: '[ -z "$tmp" ] || rm -f "$tmp"',
    to: ':',
  },
  {
    name: 'an upload that overwrites a file created meanwhile',
    script: 'upload',
    group: 'upload',
    caughtBy: 'leaves a file alone that another process creates meanwhile, unless it may overwrite',
    from: 'ln "$tmp" "$dest"',
    to: 'mv -f "$tmp" "$dest"',
  },
  {
    name: 'a download without a size limit',
    script: 'download',
    group: 'download',
    caughtBy: 'refuses a file above the limit',
    from: '[ "$size" -le "$3" ]',
    to: 'true',
  },
  {
    name: 'a download whose digest is not that of the file',
    script: 'download',
    group: 'download',
    caughtBy: 'sends a binary file with size, mode and digest',
    from: 'sum=$($digest <"$path")',
    to: 'sum=$(printf x | $digest)',
  },
  {
    name: 'a run that always reports 0',
    script: 'exec',
    group: 'exec',
    caughtBy: 'reports the exit code 3 for "exit 3"',
    from: 'c=$?',
    to: 'c=0',
  },
  {
    name: 'a run whose reporter a signal ends',
    script: 'exec',
    group: 'exec',
    caughtBy: 'reports the exit code of a command that sends TERM to its parent',
    from: 'trap : HUP INT TERM',
    to: ':',
  },
  {
    name: 'a precondition that always passes',
    script: 'precondition',
    group: 'precondition',
    caughtBy: 'refuses when the name differs',
    from: 'refuse() { echo "$n refused $1"; exit 96; }',
    to: 'refuse() { :; }',
  },
  {
    name: 'a precondition whose look for a lockdown may take any time',
    script: 'precondition',
    group: 'precondition',
    caughtBy: 'refuses when reading the lockdown file takes longer than two seconds',
    from: '      in_time;;\n    here)',
    to: '      :;;\n    here)',
  },
  {
    name: 'a precondition that does not compare tags',
    script: 'precondition',
    group: 'precondition',
    caughtBy: 'refuses when a tag was added',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: text of the script
    from: '[ "$j" = "${2:+$2 }" ]',
    to: 'true',
  },
  {
    name: 'a removal of a key that removes similar lines',
    script: 'removeAuthorizedKey',
    group: 'authorizedKeys',
    caughtBy: 'removes the key and nothing else, through a symlink',
    from: 'grep -vxF',
    to: 'grep -vF',
  },
];

/** @throws Error when the script does not contain the text that the mutation replaces */
export function mutate(scripts: Scripts, { name, script, from, to }: Mutation): Scripts {
  const text = scripts[script];
  if (!text.includes(from)) throw new Error(`${name}: ${script} does not contain ${JSON.stringify(from)}`);
  return { ...scripts, [script]: text.replace(from, () => to) };
}
