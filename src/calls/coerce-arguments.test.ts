import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { flag, responseFormat, seconds, vmid } from '../tools/shared/params.ts';
import { targetInput } from '../tools/shared/targets.ts';
import { coerceArguments } from './coerce-arguments.ts';

const tool = {
  input: z.strictObject({
    vmid,
    command: z.string(),
    timeout: seconds(10, 'Timeout.'),
    force: flag('Force.'),
    owner: z.string().optional(),
    expect_name: z.string().optional(),
    ...targetInput,
    response_format: responseFormat('text'),
  }),
};
const coerced = (name: string, value: unknown) => coerceArguments(tool, { [name]: value });

describe('omits', () => {
  test.each([
    ['timeout', null],
    ['timeout', ''],
    ['timeout', 'null'],
    ['force', 'None'],
    ['force', 'undefined'],
    ['owner', null],
    ['owner', ''],
    ['response_format', ''],
    ['response_format', 'null'],
    ['expect_name', null],
  ])('%s: %j', (name, value) => {
    expect(coerced(name, value)).toEqual({});
  });
});

describe('leaves to the schema', () => {
  test.each([
    ['vmid', null],
    ['command', null],
    ['command', ''],
    ['command', 'null'],
    ['owner', 'null'],
    ['expect_name', ''],
    ['expect_name', 'none'],
    ['other', null],
    ['constructor', ''],
    ['timeout', '030'],
    ['timeout', '0x1e'],
    ['timeout', '3e1'],
    ['timeout', '30.0'],
    ['timeout', ' 30'],
    ['timeout', '30s'],
    ['timeout', '٣٠'],
    ['timeout', '9'.repeat(16)],
    ['timeout', true],
    ['timeout', [30]],
    ['force', '1'],
    ['force', 'yes'],
    ['force', 1],
    ['owner', 'true'],
    ['owner', '1000'],
    ['owner', 1000],
  ])('%s: %j', (name, value) => {
    expect(coerced(name, value)).toEqual({ [name]: value });
  });
});

test.each([
  ['timeout', '30', 30],
  ['timeout', '0', 0],
  ['timeout', '-5', -5],
  ['force', 'true', true],
  ['force', 'FALSE', false],
  ['force', 'False', false],
])('coerces %s: %j to %j', (name, text, value) => {
  expect(coerced(name, text)).toEqual({ [name]: value });
});

describe('a list', () => {
  test.each([
    ['101', ['101']],
    ['101, 102', ['101', '102']],
    ['["101", 102]', ['101', 102]],
    [101, [101]],
    [[101], [101]],
  ])('may be a string or a number: %j', (value, list) => {
    expect(coerced('vmids', value)).toEqual({ vmids: list });
  });

  test('that is not one is left to the schema', () => {
    expect(coerced('vmids', '[101,')).toEqual({ vmids: '[101,' });
  });

  test.each(['vmids', 'tags', 'name', 'node', 'except'])(
    '%s is not omitted when empty: an unset variable must not select more containers',
    (name) => {
      for (const value of ['', 'none']) {
        expect(targets.safeParse(coerced(name, value)).success).toBe(
          name !== 'vmids' && name !== 'except' && value !== '',
        );
        expect(coerced(name, value)).not.toEqual({});
      }
    },
  );
});

const targets = z.strictObject(targetInput);
