import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { traitsOf } from '../../src/calls/subject.ts';
import { unreachableRules } from '../../src/governance/policy/coverage.ts';
import { parsePolicy } from '../../src/governance/policy/parse-policy.ts';
import { TOOLS } from '../../src/tools/index.ts';

const page = await readFile(new URL('../../docs/permissions.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);

test('the page contains its examples', () => {
  expect(examples.length).toBeGreaterThanOrEqual(5);
});

describe('an example of docs/permissions.md', () => {
  test.each(examples)('is a valid policy without an unreachable rule: %s', (text) => {
    const parsed = parsePolicy(text, { protectedTag: 'protected', tools: TOOLS.map(({ name }) => name) });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    expect(unreachableRules(parsed.set, TOOLS.map(traitsOf)).map(({ name }) => name)).toEqual([]);
  });
});
