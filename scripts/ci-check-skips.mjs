// Reads vitest's JSON report and ends with one line, `N passed, N failed, N skipped`. Fails when a test failed or was
// skipped: on a machine that has all it takes, a test that does not run is a fault of the set-up.
import { existsSync, readFileSync } from 'node:fs';

const file = process.argv[2] ?? 'coverage/tests.json';
if (!existsSync(file)) {
  console.log('there is no report: the tests did not run to their end');
  console.log('0 passed, 0 failed, 0 skipped');
  process.exit(1);
}
const report = JSON.parse(readFileSync(file, 'utf8'));
const skipped = report.numPendingTests + report.numTodoTests;

for (const suite of report.testResults) {
  if (suite.status === 'failed' && suite.message) {
    console.log(`failed: ${suite.name}: ${suite.message}`);
  }
  for (const test of suite.assertionResults) {
    if (test.status !== 'passed') {
      console.log(`${test.status}: ${test.fullName}`);
    }
  }
}
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`);
// A file that cannot be loaded has no tests to count as failed; `success` knows of it.
process.exitCode = report.success && skipped === 0 && report.numPassedTests > 0 ? 0 : 1;
