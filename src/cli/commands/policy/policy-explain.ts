import { text as readAll } from 'node:stream/consumers';
import type { App } from '../../../app.ts';
import { ceilingRefusal, disclosureRefused } from '../../../calls/ceilings.ts';
import { subjectIn, subjectsOf } from '../../../calls/subject.ts';
import { validateArguments } from '../../../calls/validate.ts';
import { describeMatch } from '../../../governance/policy/describe.ts';
import { evaluatePolicy } from '../../../governance/policy/evaluate.ts';
import { loadRules } from '../../../governance/policy/open-policy.ts';
import type { Decision, Subject } from '../../../governance/policy/policy-types.ts';
import type { RuleSet } from '../../../governance/policy/rules.ts';
import { type PassedRule, tracePassed } from '../../../governance/policy/trace.ts';
import { type Caller, LOCAL_CALLER } from '../../../lib/caller.ts';
import { errorText } from '../../../lib/error-text.ts';
import { AppError, nextStep } from '../../../lib/errors.ts';
import type { ContainerAttributes } from '../../../remote/remote-types.ts';
import { TOOLS } from '../../../tools/index.ts';
import { hostAccessDisabled, type Tool } from '../../../tools/tool.ts';
import type { Request } from '../../command.ts';
import { openApp } from '../../open-app.ts';
import { wantsColor } from '../../output/config-errors.ts';
import { print, styleFor } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';
import { UsageError } from '../../usage-error.ts';
import { findTool, readArguments } from '../call/call-arguments.ts';
import { explanationText } from './policy-explain-text.ts';
import { parseGuest, parseMoment } from './policy-options.ts';

/** The host name when PROXMOX_HOST is not set. Nothing connects to it. */
const NO_NODE = 'node.invalid';

/** The decision on a call, and its reason. */
export interface Explanation {
  readonly tool: string;
  readonly caller: string;
  readonly at: Date;
  /** The refusal by a setting. The rules are then not evaluated. */
  readonly ceiling: AppError | null;
  readonly decision: Decision | null;
  readonly decidedAt: {
    readonly line: number | null;
    readonly match: Readonly<Record<string, unknown>>;
  } | null;
  readonly passed: readonly PassedRule[];
  readonly guest: ContainerAttributes | null;
}

/** `policy explain TOOL ARGUMENTS`: the rule that decides on a call, and why. Runs nothing. Exit code 1 if it cannot decide. */
export async function explain(request: Request): Promise<void> {
  const { input, args, options } = request;
  const [name, ...words] = args;
  if (name === undefined)
    throw new UsageError('policy explain needs a tool; list them with `proxmox-mcp tools`');
  const tool = findTool(name, TOOLS);
  const given = await readArguments(tool, words, () => readAll(process.stdin));
  const config = settingsFor({
    ...input,
    fallbacks: { host: NO_NODE, acceptRisks: 'true', logLevel: 'warn' },
  });
  const app = config === undefined ? undefined : await openApp(config);
  if (app === undefined) return;
  try {
    const set = await loadRules(
      app.config,
      TOOLS.map((each) => each.name),
    );
    const caller = { ...LOCAL_CALLER, name: options.caller ?? LOCAL_CALLER.name };
    const subjects = subjectsOf(tool, validateArguments(tool, given), caller, parseMoment(options.at));
    const explanations: Explanation[] = [];
    for (const part of subjects) {
      const subject = oneContainer(part, tool, given);
      explanations.push(await explainCall({ tool, subject, caller, set, app, guest: options.guest }));
    }
    const explanation = strictest(explanations);
    if (options.json === 'true') await print(`${JSON.stringify(toJson(explanation), null, 2)}\n`);
    else await print(explanationText(explanation, styleFor(wantsColor(process.stdout))));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${errorText(error.code, error.message, nextStep(error, 'person'))}\n`);
    process.exitCode = error.code === 'INVALID_INPUT' ? 2 : 1;
  }
  await app.close(0);
}

/** The explanation of the part that decides: all parts of a call must be allowed. */
function strictest(explanations: readonly Explanation[]): Explanation {
  const outcomeOf = ({ decision }: Explanation) => decision?.outcome ?? 'deny';
  const decisive = (['deny', 'confirm', 'allow'] as const)
    .map((outcome) => explanations.find((each) => outcomeOf(each) === outcome))
    .find((each) => each !== undefined);
  if (decisive === undefined) throw new TypeError('a call without a subject');
  return decisive;
}

/** The subject of a call on several containers: each container has its own decision, so one of them must be named. */
function oneContainer(subject: Subject, tool: Tool, given: Readonly<Record<string, unknown>>): Subject {
  if (!('vmids' in tool.input.shape)) return subject;
  const input = validateArguments(tool, given);
  const vmid = onlyVmid(input.vmids) ?? onlyVmid(input.commands);
  if (vmid !== undefined) return subjectIn(subject, tool, input, vmid);
  throw new UsageError(`the policy decides on each container of ${tool.name}: name one, with vmids=VMID`);
}

/** The VMID of a list with one element, which is a VMID or an entry of `commands`. */
function onlyVmid(list: unknown): number | undefined {
  if (!Array.isArray(list) || list.length !== 1) return undefined;
  const only: unknown = list[0];
  const vmid = typeof only === 'object' && only !== null && 'vmid' in only ? only.vmid : only;
  return typeof vmid === 'number' ? vmid : undefined;
}

interface Question {
  readonly tool: Tool;
  readonly subject: Subject;
  readonly caller: Caller;
  readonly set: RuleSet;
  readonly app: App;
  /** The text of `--guest`. */
  readonly guest: string | undefined;
}

async function explainCall({ tool, subject, caller, set, app, guest }: Question): Promise<Explanation> {
  const base = {
    tool: subject.role === undefined ? tool.name : `${tool.name} (${subject.role})`,
    caller: caller.name,
    at: subject.at,
  };
  const refused = ceilingRefusal(
    { toolset: tool.toolset, traits: subject },
    app.settings,
    await app.policy(),
    caller,
  );
  const hostDisabled =
    subject.target === 'host' && !app.settings.enableHostExec ? hostAccessDisabled() : undefined;
  const ceiling = refused?.error.code === 'POLICY_DENIED' ? hostDisabled : (refused?.error ?? hostDisabled);
  if (ceiling !== undefined) {
    return { ...base, ceiling, decision: null, decidedAt: null, passed: [], guest: null };
  }
  let facts: ContainerAttributes | undefined;
  const decision = await evaluatePolicy(set, subject, async () => {
    facts = await readGuest(subject, app, guest);
    return facts;
  });
  const undisclosed = subject.discloses === true && decision.allowedByName !== true;
  if (app.settings.readOnly && undisclosed && decision.outcome !== 'deny') {
    const readOnly = disclosureRefused(tool.name);
    return { ...base, ceiling: readOnly, decision: null, decidedAt: null, passed: [], guest: null };
  }
  const rule = set.rules.find((each) => each.name === decision.rule);
  return {
    ...base,
    ceiling: null,
    decision,
    decidedAt: rule === undefined ? null : { line: rule.line, match: describeMatch(rule.match) },
    passed: tracePassed(set, subject, facts, decision.rule),
    guest: facts ?? null,
  };
}

async function readGuest(
  { vmid }: Subject,
  app: App,
  text: string | undefined,
): Promise<ContainerAttributes | undefined> {
  if (vmid === null) return undefined;
  if (text !== undefined) return parseGuest(text, vmid);
  if (app.config.host === NO_NODE) {
    throw new UsageError(
      `a rule depends on the attributes of container ${vmid}: give them with --guest name=…,tags=…+…,pool=…,node=…, or set PROXMOX_HOST so that they can be read`,
    );
  }
  return (await app.cluster()).guest(vmid, new AbortController().signal);
}

function toJson({ ceiling, decision, passed, decidedAt, ...rest }: Explanation): object {
  if (ceiling !== null) {
    return { ...rest, outcome: 'deny', rule: ceiling.code, code: ceiling.code, reason: ceiling.message };
  }
  const { attributes: _, unneeded: __, ...decided } = decision ?? { attributes: null, unneeded: [] };
  return {
    ...rest,
    ...decided,
    guest: rest.guest,
    match: decidedAt?.match ?? null,
    line: decidedAt?.line ?? null,
    passed: passed.map(({ rule, because }) => ({ rule: rule.name, line: rule.line, because })),
  };
}
