import { defineConfig } from 'vitest/config';
import { SkippedTests } from './test/skipped-tests.ts';
import { SpreadClusterSuites } from './test/spread-cluster-suites.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    reporters: [
      'default',
      new SkippedTests(),
      ...(process.env.CI ? [['json', { outputFile: 'coverage/tests.json' }] satisfies [string, object]] : []),
    ],
    // Most suites wait most of the time; each worker has its own rig.
    maxWorkers: 4,
    // Several cases measure what happens in real time, on two cores that run four suites; see docs/dev/testing.md.
    retry: process.env.CI ? 1 : 0,
    sequence: { sequencer: SpreadClusterSuites },
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
