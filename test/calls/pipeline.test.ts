import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { CallReport } from '../../src/calls/call-observer.ts';
import { callTool } from '../../src/calls/pipeline.ts';
import { LOCAL_CALLER } from '../../src/lib/caller.ts';
import { AppError } from '../../src/lib/errors.ts';
import { responseFormat } from '../../src/tools/shared/params.ts';
import type { Tool } from '../../src/tools/tool.ts';
import { record } from '../mcp/deps.ts';

/** A tool that fails as told; the path of a call does not care what a tool works on. */
function failing(thrown: unknown, format?: 'text' | 'json'): Tool {
  return {
    name: 'failing',
    title: 'Failing',
    description: 'Fails',
    effect: 'read',
    target: 'cluster',
    input: z.strictObject(format === undefined ? {} : { response_format: responseFormat(format) }),
    output: z.object({}),
    run: () => Promise.reject(thrown),
  };
}

const signal = new AbortController().signal;

describe('a failure of the server itself', () => {
  test('reaches the caller as an id, and the log in full under that id', async () => {
    const { lines, deps } = record();
    const thrown = new Error('password hunter2 in /root/secret');
    const result = await callTool({ caller: LOCAL_CALLER, tool: failing(thrown), args: {}, signal }, deps);
    expect(result).toMatchObject({ isError: true, structuredContent: { success: false, code: 'INTERNAL' } });
    expect(JSON.stringify(result)).not.toMatch(/hunter2|secret/);
    const id = /internal error ([0-9a-f]{8})/.exec(JSON.stringify(result))?.[1];
    expect(id).toBeDefined();
    expect(lines).toContainEqual({ level: 'error', fields: { error: thrown, id, tool: 'failing' } });
  });
});

describe('a known failure', () => {
  const error = new AppError('PCT_FAILED', 'pct said no.', 'Look at the task log.', { stderr: 'no\n' });
  const data = {
    success: false,
    error: 'pct said no.',
    code: 'PCT_FAILED',
    suggestion: 'Look at the task log.',
    stderr: 'no\n',
  };

  test('is the same in data and text, which is JSON for tools without a choice', async () => {
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
    expect(lines).toEqual([
      { level: 'info', fields: { tool: 'failing', outcome: 'PCT_FAILED', durationMs } },
    ]);
  });
});

test('an abort that a tool let through is a cancellation, not a fault of the server', async () => {
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
    ['answers', { ...failing(null), run: async () => ({ data: { n: 1 }, text: () => '' }) }, 'ok', { n: 1 }],
    ['throws', failing(new AppError('PCT_FAILED', 'no', 'no')), 'PCT_FAILED', undefined],
  ])('is told of a tool that %s', async (_how, tool, outcome, data) => {
    const reports: CallReport[] = [];
    const deps = { ...record().deps, observer: { called: (report: CallReport) => reports.push(report) } };
    await callTool({ caller: LOCAL_CALLER, tool, args: {}, signal }, deps);
    expect(reports).toEqual([{ tool: 'failing', outcome, durationMs: expect.any(Number), data }]);
  });
});
