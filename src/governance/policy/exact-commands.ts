/**
 * Commands that count as reading although they go the way of free-form commands. A command is one of these only if it is
 * the same text, character for character: nothing is ever concluded from what else a text looks like.
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
 * What may be added: words with one space between them, of characters that mean nothing to a shell. So it makes no difference
 * whether a shell or nobody reads the text: the words are the argv. `=` in the first word would be an assignment.
 */
export const EXACT_COMMAND = /^[A-Za-z0-9_/][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./:=@%+,-]+)*$/;
