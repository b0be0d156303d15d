import { evaluateTest, TestError } from '../../programs/test-expression.ts';
import type { Builtin } from '../builtins.ts';
import type { Executor } from '../execute.ts';

/** `test` and `[`. */
export function testBuiltin(name: 'test' | '['): Builtin {
  return (executor, args) => {
    try {
      if (name === '[' && args.at(-1) !== ']') throw new TestError('missing ]');
      const result = evaluateTest(name === '[' ? args.slice(0, -1) : args, executor.shell.sys);
      if (typeof result === 'boolean') return result ? 0 : 1;
      return result
        .then((holds) => (holds ? 0 : 1))
        .catch((error: unknown) => complain(executor, name, error));
    } catch (error) {
      return complain(executor, name, error);
    }
  };
}

async function complain({ shell }: Executor, name: string, error: unknown): Promise<number> {
  if (!(error instanceof TestError)) throw error;
  await shell.complain(`${name}: ${error.message}`);
  return 2;
}
