/**
 * Corrects the `arguments` of a JSON-RPC message. Some clients send an omitted object as null, as an empty string or as an empty
 * list, or send the object as a JSON string. The protocol layer would refuse these before a tool is called. All other values
 * are unchanged.
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

/** The intended object, or undefined if there is none. Other values are returned unchanged. */
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
