import { type Command, JSON_OPTION } from '../../command.ts';

/** `proxmox-mcp audit`. */
export const audit: Command = {
  name: 'audit',
  summary: 'Show, follow or verify the audit log',
  usage: [
    'audit verify [--accept] [--call id --arguments json]',
    'audit show [filters]',
    'audit tail [filters]',
  ],
  maxArgs: Number.POSITIVE_INFINITY,
  options: [
    { flag: 'since', placeholder: 'time', help: 'Since 30m, 2h or 7d ago, or since 2026-11-20T23:30' },
    { flag: 'until', placeholder: 'time', help: 'Until then, in the same format' },
    { flag: 'tool', placeholder: 'name', help: 'Only calls of this tool' },
    { flag: 'vmid', placeholder: 'id', help: 'Only calls on this container' },
    { flag: 'caller', placeholder: 'name', help: 'Only calls of this caller' },
    {
      flag: 'outcome',
      placeholder: 'word',
      help: 'allow, confirm or deny; ok or an error code such as TIMEOUT',
    },
    { flag: 'session', placeholder: 'id', help: 'Calls of one session: its ID or the name of a segment' },
    { flag: 'failed', help: 'Only calls that were refused, failed, exited non-zero or never ended' },
    { flag: 'wide', help: 'All columns, also on a narrow terminal' },
    { flag: 'last', placeholder: 'n', help: 'The last n calls (show: 50, or all of a period; tail: 10)' },
    { flag: 'accept', help: 'verify: accept missing or added segments, such as ones you removed' },
    { flag: 'call', placeholder: 'id', help: 'verify: prove the arguments of this call' },
    { flag: 'arguments', placeholder: 'json', help: 'verify: the arguments to prove; - reads stdin' },
    JSON_OPTION,
  ],
  details: `verify   detect entries and segments that were edited, inserted, reordered,
         removed or truncated since the ledger in STATE_DIR recorded them
show     list calls in the order in which they began; --json prints raw lines
tail     show recent calls, then follow new ones until Ctrl-C

Exit code: 0 not damaged, and --call proved; 1 damaged, unreadable or not
proved; 2 invalid arguments or settings.
`,
  start: async (request) => (await import('./audit.ts')).audit(request),
};
