/**
 * Divides a limit between two streams of these lengths. stderr gets at least a quarter if it needs it, and stdout the rest, so that
 * a large output on one stream does not hide the other. Each also gets what the other does not need.
 */
export function shareLimit(
  stdout: number,
  stderr: number,
  limit: number,
): { readonly stdout: number; readonly stderr: number } {
  const errShare = Math.min(stderr, Math.max(Math.floor(limit / 4), limit - stdout));
  return { stdout: Math.min(stdout, limit - errShare), stderr: errShare };
}
