/** A failure as text for people and models: what failed, with its code, and what to do. */
export function errorText(code: string, error: string, suggestion: string): string {
  return `Error (${code}): ${error}\nSuggestion: ${suggestion}`;
}
