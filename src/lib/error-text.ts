/** An error as text: its code, what failed and why, and what to do next. */
export function errorText(code: string, error: string, suggestion: string): string {
  return `Error (${code}): ${error}\nSuggestion: ${suggestion}`;
}
