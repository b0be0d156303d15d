import type { Reporter, TestModule } from 'vitest/node';

/** Ends each run with the names of all skipped tests, because a test that silently does not run proves nothing. */
export class SkippedTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const names = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map(
        (test) => `  ${module.relativeModuleId}: ${test.fullName}`,
      ),
    );
    console.log(`skipped: ${names.length}`);
    for (const name of names) {
      console.log(name);
    }
  }
}
