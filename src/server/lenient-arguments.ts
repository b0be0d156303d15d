/**
 * A JSON-RPC message as the protocol wants it. Clients of some languages write an omitted `arguments` object as null, as an
 * empty string or as an empty list, or send it as the text of a JSON object; the protocol layer refuses all of them before
 * a tool is called. Anything else stays as it is.
 */
export function withArgumentsObject<T>(message: T): T;
export function withArgumentsObject(message: unknown): unknown {
  if (Array.isArray(message)) return message.map((each) => withArgumentsObject(each));
  if (!isObject(message) || !isObject(message.params) || !('arguments' in message.params)) return message;
  const { arguments: given, ...params } = message.params;
  const meant = argumentsOf(given);
  if (meant === given) return message;
  return { ...message, params: { ...params, ...(meant === undefined ? {} : { arguments: meant }) } };
}

/** The object that is meant, undefined for none; what means neither is returned as it is. */
function argumentsOf(given: unknown): unknown {
  if (given === null || (Array.isArray(given) && given.length === 0)) return undefined;
  if (typeof given !== 'string') return given;
  if (given.trim() === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(given);
    if (parsed === null) return undefined;
    return isObject(parsed) ? parsed : given;
  } catch {
    return given;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
