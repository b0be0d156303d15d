import { evaluateTest, TestError } from '../../programs/test-expression.ts';
import type { Builtin } from '../builtins.ts';

/** `test` and `[`. */
export function testBuiltin(name: 'test' | '['): Builtin {
  return async ({ shell }, args) => {
    try {
      if (name === '[' && args.at(-1) !== ']') throw new TestError('missing ]');
      return (await evaluateTest(name === '[' ? args.slice(0, -1) : args, shell.sys)) ? 0 : 1;
    } catch (error) {
      if (!(error instanceof TestError)) throw error;
      await shell.complain(`${name}: ${error.message}`);
      return 2;
    }
  };
}
