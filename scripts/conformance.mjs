/*
 * Evaluates a run of the official conformance suite: node conformance.mjs REVISION FOLDER. Many scenarios of the suite need
 * tools, resources and prompts of a special test server. The scenarios below do not. Each of them must have run, must have no
 * failed check, and must have at least one successful check besides the schema validation of messages.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const REQUIRED = {
  '2026-07-28': [
    'server-stateless',
    'tools-list',
    'prompts-list',
    'resources-list',
    'caching',
    'dns-rebinding-protection',
    'http-header-validation',
    'sep-2164-resource-not-found',
    'server-sse-multiple-streams',
    'input-required-result-unsupported-methods',
    'input-required-result-validate-input',
  ],
  '2025-11-25': [
    'server-initialize',
    'server-session-lifecycle',
    'ping',
    'tools-list',
    'prompts-list',
    'resources-list',
    'dns-rebinding-protection',
    'server-sse-multiple-streams',
  ],
};

/** Checks of these scenarios that need a tool of the test server. If one succeeds, it must be removed from this list. */
const NOT_APPLICABLE = {
  'sep-2575-server-rejects-undeclared-capability': 'needs the tool test_missing_capability',
  'sep-2575-missing-capability-http-400': 'needs the tool test_missing_capability',
  'sep-2575-http-server-no-independent-requests-on-stream': 'needs the tool test_streaming_elicitation',
  'sep-2575-server-no-log-without-loglevel': 'needs the tool test_logging_tool',
};

const [revision = '', folder = ''] = process.argv.slice(2);
const required = REQUIRED[revision];
if (required === undefined) throw new Error(`no scenarios are listed for ${revision}`);
const faults = required.flatMap(judge);
for (const fault of faults) console.error(`conformance ${revision}: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
else console.log(`conformance ${revision}: ${required.length} scenarios pass: ${required.join(', ')}`);

/** The errors of a scenario. */
function judge(scenario) {
  const run = readdirSync(folder).find((name) => new RegExp(`^server-${scenario}-\\d{4}-`).test(name));
  if (run === undefined) return [`${scenario} was not run`];
  const checks = JSON.parse(readFileSync(path.join(folder, run, 'checks.json'), 'utf8'));
  const failed = checks.filter(({ id, status }) => status === 'FAILURE' && !(id in NOT_APPLICABLE));
  const excused = checks.filter(({ id, status }) => status === 'SUCCESS' && id in NOT_APPLICABLE);
  const own = checks.filter(({ id, status }) => status === 'SUCCESS' && !id.startsWith('wire-schema'));
  return [
    ...failed.map(({ id, errorMessage }) => `${scenario}: ${id} failed: ${errorMessage}`),
    ...excused.map(({ id }) => `${scenario}: ${id} succeeds: remove it from NOT_APPLICABLE`),
    ...(own.length === 0 ? [`${scenario} has no successful check besides the schema`] : []),
  ];
}
