import type { Invocation } from './command-line.ts';

/** Entry point of the command line. Returns when nothing is left to do. */
export async function main(argv: readonly string[]): Promise<void> {
  const invocation = await understand(argv);
  switch (invocation.kind) {
    case 'serve': {
      const { serve } = await import('./commands/serve/serve.ts');
      return serve({});
    }
    case 'run':
      return invocation.command.start(invocation.request);
    case 'print':
      process.stdout.write(invocation.text);
      return;
    case 'refuse':
      process.stderr.write(invocation.text);
      process.exitCode = 2;
  }
}

/** Clients usually start the server without arguments. The parser is not loaded then. */
async function understand(argv: readonly string[]): Promise<Invocation | { readonly kind: 'serve' }> {
  if (argv.length === 0) return { kind: 'serve' };
  const { parseCommandLine } = await import('./command-line.ts');
  return parseCommandLine(argv);
}
