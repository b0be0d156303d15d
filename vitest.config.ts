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
    // Several cases measure what happens in real time, on two cores that run four suites; see docs/dev/testing.md.
    retry: process.env.CI ? 1 : 0,
    sequence: { sequencer: SpreadRigSuites },
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
