import { defineConfig } from 'vitest/config';
import { OrderSuites } from './test/order-suites.ts';
import { SkippedTests } from './test/skipped-tests.ts';

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'src', include: ['src/**/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'test', include: ['test/**/*.test.ts'], globalSetup: ['test/global-setup.ts'] },
      },
    ],
    reporters: [
      'default',
      new SkippedTests(),
      ...(process.env.CI ? [['json', { outputFile: 'coverage/tests.json' }] satisfies [string, object]] : []),
    ],
    // A process runs many files, which saves half a second of the processor for each. No file leaves state behind in its process.
    isolate: false,
    // Most suites wait most of the time; each worker has its own rig.
    maxWorkers: 5,
    // Several cases run in real time; see docs/dev/testing.md.
    retry: process.env.CI ? 1 : 0,
    sequence: { sequencer: OrderSuites },
    // They end tests that hang; with less, busy machines fail tests that would pass.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    // It stops the rigs.
    teardownTimeout: 240_000,
    expect: { poll: { timeout: 60_000, interval: 20 } },
  },
});
