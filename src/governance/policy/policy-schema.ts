import * as z from 'zod/v4';
import { MAX_PATTERN } from '../../lib/glob.ts';
import { type AttributeField, CONTAINER_ATTRIBUTES } from '../../remote/container-attributes.ts';
import { EXACT_COMMAND } from './exact-commands.ts';
import { ATTRIBUTE_FIELDS } from './match-fields.ts';
import { PRESET_NAMES } from './policy-types.ts';
import type { CallConditions } from './rules.ts';
import { DAYS, isTimeZone } from './time.ts';

/*
 * The schema of policy files. The JSON Schema for editors is generated from it. Each error message completes the sentence
 * "`field` …".
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
      ctx.addIssue({ code: 'custom', message: 'must be a range from the lower to the higher vmid' });
    return { from, to };
  });

const days = z
  .string({ error: 'must be a day or days such as mon-fri' })
  .regex(new RegExp(`^(?:${DAYS.join('|')})(?:-(?:${DAYS.join('|')}))?$`), {
    error: `must be one of ${DAYS.join(', ')}, or a range such as mon-fri`,
  })
  .transform((text) => {
    const [first = 0, last = first] = text.split('-').map((day) => DAYS.indexOf(day));
    return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, index) => (first + index) % 7);
  });

const hoursError = 'must be a range such as "22:00-06:00" (24:00 is the end of the day)';
const hours = z
  .string({ error: hoursError })
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: hoursError })
  .transform((text, ctx) => {
    const [from = 0, to = 0] = text.split('-').map((clock) => {
      const [hour = 0, minute = 0] = clock.split(':').map(Number);
      return hour * 60 + minute;
    });
    if (from === to) ctx.addIssue({ code: 'custom', message: 'must not begin and end at the same time' });
    return { from, to };
  });

const time = z
  .strictObject(
    {
      days: oneOrMany(days).optional().describe('Days on which the hours begin (default: every day)'),
      hours: hours.optional().describe('Local time range, such as 22:00-06:00; may extend past midnight'),
      zone: z
        .string({ error: 'must be the name of a time zone such as Europe/Berlin' })
        .refine(isTimeZone, { error: 'must be the name of a time zone such as Europe/Berlin' })
        .optional()
        .describe('Time zone (default: that of the server)'),
    },
    { error: 'must have days, hours or both' },
  )
  .refine((window) => window.days !== undefined || window.hours !== undefined, {
    error: 'must have days, hours or both',
  });

const globs = (description: string) =>
  oneOrMany(glob).optional().describe(`${description}; * matches any characters, ? matches one`);

/** A field of `CallConditions` that is missing here is a compile error. */
const callFields = {
  tool: globs('Tool name, with or without proxmox_'),
  target: oneOrMany(oneOf(['cluster', 'container', 'host']))
    .optional()
    .describe('Target of the tool'),
  effect: oneOrMany(oneOf(['read', 'write', 'destroy', 'exec']))
    .optional()
    .describe('Effect of the call'),
  vmid: oneOrMany(vmid).optional().describe('Container IDs or ranges of IDs'),
  caller: globs(
    'Caller: local on stdio; over HTTP the name of the token, or oauth: and the subject of the JWT. Rules that deny or confirm also match the subject without oauth:',
  ),
  time: oneOrMany(time).optional().describe('When'),
  overwrite: z
    .boolean({ error: 'must be true or false' })
    .optional()
    .describe('Whether the call has overwrite=true'),
  force: z.boolean({ error: 'must be true or false' }).optional().describe('Whether the call has force=true'),
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
    rule: line(80).describe('Name of the rule, shown in errors and in the audit log'),
    match: match
      .optional()
      .describe(
        'Conditions: all fields must match, and of a list one value. If omitted, the rule matches every call',
      ),
    outcome,
    reason: line(300).optional().describe('Reason for the model, one sentence'),
    require: z
      .literal('expect_name', { error: 'must be expect_name' })
      .optional()
      .describe('expect_name: the call must have this argument if the tool accepts it'),
    confirm: z
      .literal('terminal', { error: 'must be terminal' })
      .optional()
      .describe('terminal: approval is given in a terminal, regardless of APPROVALS'),
  },
  { error: 'must be a mapping with rule, match and outcome' },
);

/** The fields of a rule and of its time condition, for suggestions. */
export const RULE_FIELDS: readonly string[] = Object.keys(rule.shape);
export const TIME_FIELDS: readonly string[] = ['days', 'hours', 'zone'];

export const policySchema = z.strictObject(
  {
    extends: oneOf(PRESET_NAMES).optional().describe('Preset whose rules follow these rules'),
    default: outcome
      .optional()
      .describe('Outcome if no rule matches (default: that of the preset, or deny without a preset)'),
    exact_commands: z
      .array(
        z
          .string({ error: 'must be a command' })
          .max(200, { error: 'must have at most 200 characters' })
          .regex(EXACT_COMMAND, {
            error:
              'must be words separated by one space, of letters, digits and _ . / : = @ % + , - (no characters that are special in a shell)',
          }),
        { error: 'must be a list of commands' },
      )
      .max(1000, { error: 'must have at most 1000 entries' })
      .optional()
      .describe('Commands that count as read-only if they match exactly; added to the built-in list'),
    rules: z
      .array(rule, { error: 'must be a list of rules' })
      .max(1000, { error: 'must have at most 1000 rules' })
      .optional()
      .describe('Rules in order: the first one that matches decides'),
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

/** The JSON Schema with which editors check policy files. */
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
