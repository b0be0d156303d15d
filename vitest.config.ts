import { defineConfig } from 'vitest/config';
import { SkippedTests } from './test/skipped-tests.ts';
import { SpreadRigSuites } from './test/spread-rig-suites.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    reporters: [
      'default',
      new SkippedTests(),
      ...(process.env.CI ? [['json', { outputFile: 'coverage/tests.json' }] satisfies [string, object]] : []),
    ],
    // Suites against the rig take turns by themselves (describeRig), and those that wait in line do no work; nor do most others.
    maxWorkers: 4,
    sequence: { sequencer: SpreadRigSuites },
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
