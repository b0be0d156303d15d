import * as z from 'zod/v4';
import { MAX_PATTERN } from '../../lib/glob.ts';
import { type AttributeField, CONTAINER_ATTRIBUTES } from '../../remote/container-attributes.ts';
import { EXACT_COMMAND } from './exact-commands.ts';
import { ATTRIBUTE_FIELDS } from './match-fields.ts';
import { PRESET_NAMES } from './policy-types.ts';
import type { CallConditions } from './rules.ts';
import { DAYS, isTimeZone } from './time.ts';

/*
 * The policy file as people write it. The JSON Schema that editors use is made from this. Each message completes the
 * sentence "`field` …".
 */

/** One value, or a list of them. */
function oneOrMany<T extends z.ZodType>(item: T) {
  return z.preprocess(
    (value) => (Array.isArray(value) || value === undefined ? value : [value]),
    z
      .array(item, { error: 'must be a value or a list' })
      .min(1, { error: 'must not be an empty list' })
      .meta({ orOne: true }),
  );
}

function line(max: number) {
  const error = `must be one line of 1 to ${max} characters`;
  return z
    .string({ error })
    .max(max, { error })
    .regex(/^[^\p{Cc}]*\S[^\p{Cc}]*$/u, { error });
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  const last = values.at(-1);
  return z.enum(values, { error: `must be ${values.slice(0, -1).join(', ')} or ${last}` });
}

const outcome = oneOf(['allow', 'confirm', 'deny']);
const glob = line(MAX_PATTERN);

const vmidError = 'must be a vmid (100 to 999999999) or a range such as "200-299"';
const vmid = z
  .union(
    [
      z.int({ error: vmidError }).min(100, { error: vmidError }).max(999_999_999, { error: vmidError }),
      z.string().regex(/^[1-9]\d{2,8}(?:-[1-9]\d{2,8})?$/, { error: vmidError }),
    ],
    {
      error: vmidError,
    },
  )
  .transform((value, ctx) => {
    const [from = 0, to = from] = String(value).split('-').map(Number);
    if (from > to)
      ctx.addIssue({ code: 'custom', message: 'must be a range from the smaller vmid to the larger' });
    return { from, to };
  });

const days = z
  .string({ error: 'must be a day or days such as mon-fri' })
  .regex(new RegExp(`^(?:${DAYS.join('|')})(?:-(?:${DAYS.join('|')}))?$`), {
    error: `must be one of ${DAYS.join(', ')}, or a span such as mon-fri`,
  })
  .transform((text) => {
    const [first = 0, last = first] = text.split('-').map((day) => DAYS.indexOf(day));
    return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, index) => (first + index) % 7);
  });

const hoursError = 'must be a span such as "22:00-06:00" (24:00 is the end of the day)';
const hours = z
  .string({ error: hoursError })
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: hoursError })
  .transform((text, ctx) => {
    const [from = 0, to = 0] = text.split('-').map((clock) => {
      const [hour = 0, minute = 0] = clock.split(':').map(Number);
      return hour * 60 + minute;
    });
    if (from === to) ctx.addIssue({ code: 'custom', message: 'must not end when it begins' });
    return { from, to };
  });

const time = z
  .strictObject(
    {
      days: oneOrMany(days).optional().describe('Days on which the hours begin; default every day'),
      hours: hours
        .optional()
        .describe('By the clock on the wall; past midnight where the end is before the beginning'),
      zone: z
        .string({ error: 'must be the name of a time zone such as Europe/Berlin' })
        .refine(isTimeZone, { error: 'must be the name of a time zone such as Europe/Berlin' })
        .optional()
        .describe('Default: the time zone of the server'),
    },
    { error: 'must have days, hours or both' },
  )
  .refine((window) => window.days !== undefined || window.hours !== undefined, {
    error: 'must have days, hours or both',
  });

const globs = (description: string) =>
  oneOrMany(glob).optional().describe(`${description}; * stands for any characters, ? for one`);

/** A field that is added to `CallConditions` and not here is a compile error. */
const callFields = {
  tool: globs('Name, with or without proxmox_'),
  target: oneOrMany(oneOf(['cluster', 'container', 'host']))
    .optional()
    .describe('What the tool works on'),
  effect: oneOrMany(oneOf(['read', 'write', 'destroy', 'exec']))
    .optional()
    .describe('What the call does'),
  vmid: oneOrMany(vmid).optional().describe('Containers by id or range of ids'),
  caller: globs(
    'Caller: local on stdio, over HTTP the name of the token, or oauth: and the subject of the JWT; rules that deny or confirm match the subject alone as well',
  ),
  time: oneOrMany(time).optional().describe('When'),
  overwrite: z
    .boolean({ error: 'must be true or false' })
    .optional()
    .describe('Whether overwrite=true was asked for'),
  force: z
    .boolean({ error: 'must be true or false' })
    .optional()
    .describe('Whether force=true was asked for'),
} satisfies { readonly [F in keyof CallConditions]: z.ZodType };

type Globs = ReturnType<typeof globs>;

function isComplete(fields: Readonly<Record<string, Globs>>): fields is Record<AttributeField, Globs> {
  return ATTRIBUTE_FIELDS.every(([, field]) => Object.hasOwn(fields, field));
}

function attributeFields(): Record<AttributeField, Globs> {
  const fields = Object.fromEntries(
    ATTRIBUTE_FIELDS.map(([name, field]) => [field, globs(CONTAINER_ATTRIBUTES[name].description)]),
  );
  if (!isComplete(fields)) throw new TypeError('the table of attributes is incomplete');
  return fields;
}

const match = z.strictObject(
  { ...callFields, ...attributeFields() },
  { error: 'must be a mapping of fields' },
);

const rule = z.strictObject(
  {
    rule: line(80).describe('Its name, shown wherever it decides'),
    match: match
      .optional()
      .describe('All fields must fit; of a list, one value. Left out: matches everything'),
    outcome,
    reason: line(300).optional().describe('A sentence for the model'),
    require: z
      .literal('expect_name', { error: 'must be expect_name' })
      .optional()
      .describe('expect_name: calls that could name their container must'),
    confirm: z
      .literal('terminal', { error: 'must be terminal' })
      .optional()
      .describe('terminal: a person confirms in a terminal, whatever APPROVALS says'),
  },
  { error: 'must be a mapping with rule, match and outcome' },
);

/** The fields of a rule and of its time, for suggestions. */
export const RULE_FIELDS: readonly string[] = Object.keys(rule.shape);
export const TIME_FIELDS: readonly string[] = ['days', 'hours', 'zone'];

export const policySchema = z.strictObject(
  {
    extends: oneOf(PRESET_NAMES).optional().describe('The preset whose rules come after these'),
    default: outcome
      .optional()
      .describe('Where no rule matches; if left out, what the preset says, and deny without a preset'),
    exact_commands: z
      .array(
        z
          .string({ error: 'must be a command' })
          .max(200, { error: 'must have at most 200 characters' })
          .regex(EXACT_COMMAND, {
            error:
              'must be words with one space between them, of letters, digits and _ . / : = @ % + , - (nothing that means something to a shell)',
          }),
        { error: 'must be a list of commands' },
      )
      .max(1000, { error: 'must have at most 1000 entries' })
      .optional()
      .describe('Commands that count as reading, if they are given exactly so; added to those that ship'),
    rules: z
      .array(rule, { error: 'must be a list of rules' })
      .max(1000, { error: 'must have at most 1000 rules' })
      .optional()
      .describe('The first one that matches decides'),
  },
  { error: 'must be a mapping with extends, default, exact_commands and rules' },
);

export type PolicyInput = z.output<typeof policySchema>;

/** `rules[2].match.vmid`. */
export function fieldLabel(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(
    (start, key) => (typeof key === 'number' ? `${start}[${key}]` : `${start}${start && '.'}${String(key)}`),
    '',
  );
  return `\`${text.slice(0, 100)}\``;
}

/** What editors check policy files with. */
export function policyJsonSchema(): object {
  const json = z.toJSONSchema(policySchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const { orOne, items, ...list } = jsonSchema;
      if (orOne !== true || typeof items !== 'object' || Array.isArray(items)) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      jsonSchema.anyOf = [items, { ...list, items }];
    },
  });
  return { ...json, title: 'Policy of proxmox-mcp-server' };
}
