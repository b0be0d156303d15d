import type { Reply, Tool } from '../tools/tool.ts';
import { clientFieldsIn } from './known-client-fields.ts';

type Data = Record<string, unknown>;

/** The reply with a `note` that names the ignored arguments, if any. */
export function withIgnoredFieldsNote(
  reply: Reply<Data>,
  call: { readonly tool: Pick<Tool, 'input'>; readonly args: Readonly<Record<string, unknown>> },
): Reply<Data> {
  const ignored = clientFieldsIn(call.tool, call.args);
  if (ignored.length === 0) return reply;
  const names = ignored.map((name) => `\`${name}\``).join(', ');
  const note = `These arguments were ignored, because this tool does not have them and some clients add them to every call: ${names}.`;
  const before = typeof reply.data.note === 'string' ? `${reply.data.note} ` : '';
  return {
    ...reply,
    data: { ...reply.data, note: `${before}${note}` },
    text: (data) => {
      const text = reply.text(data);
      return text.includes(note) ? text : `${text}\n\nNote: ${note}`;
    },
  };
}
