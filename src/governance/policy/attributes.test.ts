import { describe, expect, test } from 'vitest';
import {
  ATTRIBUTE_NAMES,
  CONTAINER_ATTRIBUTES,
  type ContainerAttributes,
  parseAttributes,
} from '../../remote/container-attributes.ts';
import { questionOf } from '../approval/question.ts';
import { describeMatch } from './describe.ts';
import { evaluatePolicy } from './evaluate.ts';
import { parsePolicy } from './parse-policy.ts';
import { policyJsonSchema } from './policy-schema.ts';
import { STOP_CALL } from './subject.fixture.ts';
import { tracePassed } from './trace.ts';

/** A container that has only this attribute. */
const withValue = (name: string, value: string): ContainerAttributes =>
  parseAttributes(101, (each) => (each === name ? value : undefined));

describe.each(ATTRIBUTE_NAMES)('the attribute %s', (name) => {
  const { field, label, ignoreCase } = CONTAINER_ATTRIBUTES[name];
  const parsed = parsePolicy(
    `default: allow\nrules: [{rule: r, outcome: confirm, match: {${field}: some-*}}]`,
    {
      protectedTag: 'protected',
      tools: [],
    },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  const { set } = parsed;
  const evaluate = (attributes: ContainerAttributes) =>
    evaluatePolicy(set, STOP_CALL, async () => attributes);

  test('matches a rule and is part of the decision', async () => {
    const attributes = withValue(name, 'some-value');
    expect(await evaluate(attributes)).toMatchObject({ outcome: 'confirm', rule: 'r', attributes });
    expect(await evaluate(withValue(name, 'other'))).toMatchObject({ outcome: 'allow' });
    expect(await evaluate(withValue(name, 'SOME-VALUE'))).toMatchObject({
      outcome: ignoreCase ? 'confirm' : 'allow',
    });
  });

  test('appears in question, schema, printed rule and explanation', async () => {
    const attributes = withValue(name, 'some-value');
    const decision = await evaluate(attributes);
    const targets = [{ subject: STOP_CALL, decision, attributes }];
    const question = questionOf({ targets, input: {}, host: 'pve', source: null });
    expect(question).toContain(name === 'name' ? 'Container: 101, some-value' : `${label}: some-value`);
    expect(JSON.stringify(policyJsonSchema())).toContain(`"${field}":`);
    expect(set.rules.map(({ match }) => describeMatch(match))).toEqual([{ [field]: 'some-*' }]);
    expect(tracePassed(set, STOP_CALL, withValue(name, 'other'), 'default')).toMatchObject([
      { because: [field] },
    ]);
  });

  test('is suggested for a misspelled field', () => {
    const wrong = parsePolicy(`rules: [{rule: r, outcome: deny, match: {${field}x: a}}]`, {
      protectedTag: 'protected',
      tools: [],
    });
    expect(wrong).toMatchObject({
      ok: false,
      errors: [{ problem: expect.stringContaining(`\`${field}\``) }],
    });
  });
});
