import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { CallReport } from '../../src/calls/call-observer.ts';
import { callTool } from '../../src/calls/pipeline.ts';
import { Confirmation } from '../../src/governance/approval/confirmation.ts';
import type { Answer } from '../../src/governance/approval/elicitation.ts';
import { NODE_LOCKDOWN_FILES } from '../../src/governance/lockdown/lockdown-file.ts';
import { policyOf } from '../../src/governance/policy/open-policy.ts';
import { parsePolicy } from '../../src/governance/policy/parse-policy.ts';
import { LOCAL_CALLER } from '../../src/lib/caller.ts';
import { AppError } from '../../src/lib/errors.ts';
import { responseFormat } from '../../src/tools/shared/params.ts';
import type { ContainerTarget, Tool } from '../../src/tools/tool.ts';
import { record } from '../mcp/deps.ts';

/** A tool that fails as requested; for the path of a call it does not matter what the tool does. */
function failing(thrown: unknown, format?: 'text' | 'json'): Tool {
  return {
    name: 'failing',
    title: 'Failing',
    description: 'Fails',
    toolset: 'core',
    effect: 'read',
    target: 'cluster',
    input: z.strictObject(format === undefined ? {} : { response_format: responseFormat(format) }),
    output: z.object({}),
    run: () => Promise.reject(thrown),
  };
}

const signal = new AbortController().signal;

describe('an internal error', () => {
  test('is reported to the caller as an ID, and logged in full under that ID', async () => {
    const { lines, deps } = record();
    const thrown = new Error('password hunter2 in /root/secret');
    const result = await callTool({ caller: LOCAL_CALLER, tool: failing(thrown), args: {}, signal }, deps);
    expect(result).toMatchObject({ isError: true, structuredContent: { success: false, code: 'INTERNAL' } });
    expect(JSON.stringify(result)).not.toMatch(/hunter2|secret/);
    const id = /Internal error ([0-9a-f]{8})/.exec(JSON.stringify(result))?.[1];
    expect(id).toBeDefined();
    expect(lines).toContainEqual({ level: 'error', fields: { error: thrown, id, tool: 'failing' } });
  });
});

describe('a known error', () => {
  const error = new AppError('PCT_FAILED', 'pct said no.', 'Look at the task log.', { stderr: 'no\n' });
  const data = {
    success: false,
    error: 'pct said no.',
    code: 'PCT_FAILED',
    suggestion: 'Look at the task log.',
    stderr: 'no\n',
  };

  test('is the same in data and text, which is JSON for tools without response_format', async () => {
    const result = await callTool(
      { caller: LOCAL_CALLER, tool: failing(error), args: {}, signal },
      record().deps,
    );
    expect(result).toEqual({
      isError: true,
      structuredContent: data,
      content: [{ type: 'text', text: JSON.stringify(data, null, 2) }],
    });
  });

  test.each([
    [{}, 'text'],
    [{ response_format: 'TEXT' }, 'text'],
    [{ response_format: 'Json' }, 'json'],
  ])('follows response_format: %j', async (args, format) => {
    const result = await callTool(
      { caller: LOCAL_CALLER, tool: failing(error, 'text'), args, signal },
      record().deps,
    );
    const text =
      format === 'json'
        ? JSON.stringify(data, null, 2)
        : 'Error (PCT_FAILED): pct said no.\nSuggestion: Look at the task log.\n\nSTDERR:\nno';
    expect(result).toMatchObject({ structuredContent: data, content: [{ type: 'text', text }] });
  });

  test('is logged with its code and without arguments', async () => {
    const { lines, deps } = record();
    await callTool({ caller: LOCAL_CALLER, tool: failing(error), args: {}, signal }, deps);
    const durationMs = expect.any(Number);
    // After the result, which does not wait for the log.
    expect(lines).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toEqual([
      { level: 'info', fields: { tool: 'failing', outcome: 'PCT_FAILED', durationMs } },
    ]);
  });
});

test('reports an abort that a tool did not catch as a cancellation, not as an internal error', async () => {
  const { lines, deps } = record();
  const abort = new AbortController();
  abort.abort('enough');
  const tool = failing(abort.signal.reason);
  const result = await callTool({ caller: LOCAL_CALLER, tool, args: {}, signal: abort.signal }, deps);
  expect(result.structuredContent).toMatchObject({ success: false, code: 'CANCELLED' });
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});

describe('an observer', () => {
  test.each([
    ['succeeds', { ...failing(null), run: async () => ({ data: { n: 1 }, text: () => '' }) }, 'ok', { n: 1 }],
    ['throws', failing(new AppError('PCT_FAILED', 'no', 'no')), 'PCT_FAILED', undefined],
  ])('is notified when a tool %s', async (_how, tool, outcome, data) => {
    const reports: CallReport[] = [];
    const deps = { ...record().deps, observer: { called: (report: CallReport) => reports.push(report) } };
    await callTool({ caller: LOCAL_CALLER, tool, args: {}, signal }, deps);
    expect(reports).toEqual([{ tool: 'failing', outcome, durationMs: expect.any(Number), data }]);
  });
});

describe('a call on several containers', () => {
  const rules = parsePolicy(
    'default: allow\nrules: [{rule: no, outcome: deny, match: {vmid: 102}}, {rule: ask, outcome: confirm, match: {tag: prod}}]',
    { protectedTag: 'protected', tools: [] },
  );
  if (!rules.ok) throw new Error(JSON.stringify(rules.errors));
  const { set } = rules;

  const stopped = new AppError('CONTAINER_NOT_RUNNING', 'Container 104 is stopped.', 'Start it.');

  /** Calls a tool on these containers, of which 103 has the tag prod and 104 is stopped. */
  async function callOn(vmids: readonly number[], answer: Answer) {
    const entries: unknown[] = [];
    const questions: string[] = [];
    let given: readonly ContainerTarget[] = [];
    const { deps } = record();
    const tool: Tool = {
      ...failing(null),
      target: 'container',
      effect: 'exec',
      containers: async () =>
        vmids.map((vmid) => ({ vmid, name: null, node: null, skipped: vmid === 104 ? stopped : null })),
      run: async (_, { containers }) => {
        given = containers;
        const outcomes = containers
          .filter(({ refusal }) => refusal === null)
          .map(({ vmid }) => ({ vmid, code: vmid === 101 ? 'TIMEOUT' : 'ok', data: { exit_code: vmid } }));
        return { data: { n: outcomes.length }, text: () => '', outcomes };
      },
    };
    const confirmation = new Confirmation(
      { host: 'pve', stateDir: '/nowhere', approvals: 'client', approvalTtl: 600, confirmTimeout: 5 },
      async () => new Uint8Array(32),
    );
    const result = await callTool(
      {
        tool,
        caller: LOCAL_CALLER,
        args: {},
        signal,
        elicitation: {
          kind: 'inline',
          ask: async (question) => {
            questions.push(question);
            return answer;
          },
        },
      },
      {
        ...deps,
        policy: async () => policyOf(() => set),
        confirmation: async () => confirmation,
        cluster: async () => ({
          ...(await deps.cluster()),
          guest: async (vmid) => {
            if (vmid > 200) throw new AppError('CONTAINER_NOT_FOUND', 'no such container', 'look');
            return { vmid, name: `c${vmid}`, node: 'pve1', pool: null, tags: vmid === 103 ? ['prod'] : [] };
          },
        }),
        audit: async () => ({
          begin: async ({ vmid, rule, outcome, approval }) => {
            const entry = { vmid, rule, outcome, approved: approval !== null };
            return {
              id: '',
              end: async ({ code, exitCode }) => void entries.push({ ...entry, code, exitCode }),
            };
          },
          refused: async ({ vmid, rule, outcome }, code) =>
            void entries.push({ vmid, rule, outcome, code, refused: true }),
          close: async () => {},
        }),
      },
    );
    return { entries, questions, given, result };
  }

  test('is decided, confirmed, run and logged per container', async () => {
    const { entries, questions, given, result } = await callOn([101, 102, 103, 104, 201], 'approved');
    expect(result).toMatchObject({ structuredContent: { n: 2 } });
    expect(questions).toHaveLength(1);
    expect(questions[0]).toContain('Container: 103, c103');
    expect(questions[0]).not.toContain('c101');
    expect(given.map(({ vmid, refusal, precondition }) => [vmid, refusal?.code, precondition])).toEqual([
      [
        101,
        undefined,
        {
          attributes: expect.objectContaining({ vmid: 101 }),
          // No rule depends on it; an approval shows it.
          unneeded: ['pool'],
          approvalId: null,
          source: null,
          lockdown: NODE_LOCKDOWN_FILES,
        },
      ],
      [102, 'POLICY_DENIED', null],
      [
        103,
        undefined,
        {
          attributes: expect.objectContaining({ vmid: 103 }),
          approvalId: expect.stringMatching(/^[0-9a-f]{32}$/),
          source: null,
          lockdown: NODE_LOCKDOWN_FILES,
        },
      ],
      [104, 'CONTAINER_NOT_RUNNING', null],
      [201, 'CONTAINER_NOT_FOUND', null],
    ]);
    expect(entries).toEqual([
      { vmid: 102, rule: 'no', outcome: 'deny', code: 'POLICY_DENIED', refused: true },
      {
        vmid: 201,
        rule: 'CONTAINER_NOT_FOUND',
        outcome: 'deny',
        code: 'CONTAINER_NOT_FOUND',
        refused: true,
      },
      { vmid: 101, rule: 'default', outcome: 'allow', approved: false, code: 'TIMEOUT', exitCode: 101 },
      { vmid: 103, rule: 'ask', outcome: 'confirm', approved: true, code: 'ok', exitCode: 103 },
    ]);
  });

  test('is refused when a person declines, or when the policy denies every container', async () => {
    const refused = await callOn([101, 103], 'declined');
    expect(refused.result).toMatchObject({ structuredContent: { code: 'CONFIRMATION_REFUSED' } });
    expect(refused.given).toEqual([]);
    const denied = await callOn([102, 201], 'approved');
    expect(denied.result).toMatchObject({
      structuredContent: {
        code: 'POLICY_DENIED',
        error: expect.stringMatching(/^None of the 2 selected .*rule "no".*no such container$/),
      },
    });
    expect(denied.entries).toMatchObject([
      { vmid: 102, code: 'POLICY_DENIED' },
      { vmid: 201, code: 'CONTAINER_NOT_FOUND' },
    ]);
  });
});

test('a decision on contents in the result depends on attributes that the node verifies again', async () => {
  const rules = parsePolicy(
    'default: allow\nrules: [{rule: no logs, match: {tool: contents, tag: prod}, outcome: deny}]',
    { protectedTag: 'protected', tools: ['contents'] },
  );
  if (!rules.ok) throw new Error(JSON.stringify(rules.errors));
  let given: readonly ContainerTarget[] = [];
  const { deps } = record();
  const contents: Tool = { ...failing(null), name: 'contents', target: 'container', discloses: true };
  const tool: Tool = {
    ...failing(null),
    target: 'container',
    alsoDiscloses: () => contents,
    containers: async () => [101, 103].map((vmid) => ({ vmid, name: null, node: null, skipped: null })),
    run: async (_, { containers }) => {
      given = containers;
      return { data: {}, text: () => '' };
    },
  };
  await callTool(
    { tool, caller: LOCAL_CALLER, args: {}, signal },
    {
      ...deps,
      policy: async () => policyOf(() => rules.set),
      cluster: async () => ({
        ...(await deps.cluster()),
        guest: async (vmid) => ({
          vmid,
          name: `c${vmid}`,
          node: 'pve1',
          pool: null,
          tags: vmid === 103 ? ['prod'] : [],
        }),
        isOwnContainer: async () => false,
      }),
    },
  );
  expect(given.map(({ vmid, withheld }) => [vmid, withheld?.code])).toEqual([
    [101, undefined],
    [103, 'POLICY_DENIED'],
  ]);
  // Without the tag prod, contents are returned, so the tags must not change before the call runs.
  expect(given[0]?.precondition?.attributes).toMatchObject({ vmid: 101, tags: [] });
});
