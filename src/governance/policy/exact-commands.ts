/**
 * Commands that count as read-only. A command counts only if its text is identical, character by character. Nothing is ever
 * derived from the form of other commands.
 */
export const EXACT_COMMANDS: readonly string[] = [
  'pct list',
  'qm list',
  'pvecm status',
  'df -h',
  'free -h',
  'uptime',
  'who',
  'pvesm status',
  'zpool status',
  'zfs list',
  'ip addr',
  'ip route',
];

/**
 * Commands that a policy file may add: words separated by one space, without characters that are special in a shell, so that
 * the words are exactly the argv. No `=` in the first word, which would be an assignment.
 */
export const EXACT_COMMAND = /^[A-Za-z0-9_/][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./:=@%+,-]+)*$/;
