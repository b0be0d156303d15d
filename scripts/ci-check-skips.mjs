// Reads the JSON report of vitest and prints `N passed, N failed, N skipped` as its last line. Fails if a test failed or was
// skipped: in CI, where all requirements are met, a skipped test is an error of the set-up.
import { existsSync, readFileSync } from 'node:fs';

const file = process.argv[2] ?? 'coverage/tests.json';
if (!existsSync(file)) {
  console.log('the report is missing: the test run did not finish');
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
// A test file that cannot be loaded has no failed tests, but `success` is false.
process.exitCode = report.success && skipped === 0 && report.numPassedTests > 0 ? 0 : 1;
