import { describe, expect, test } from 'vitest';
import { SCRIPTS } from './scripts/index.ts';
import { attachRequest, newRunId } from './session-requests.ts';

describe('a request that attaches', () => {
  const check = 'the precondition\n';

  test('begins the delay of a cgroup move before the precondition', () => {
    const request = attachRequest({ kind: 'container', vmid: 101 }, newRunId(), ['true'], { check });
    expect(request.split(check)[0]).toContain(SCRIPTS.warmCgroup);
  });

  test('does not begin it on the node, where nothing is moved', () => {
    const request = attachRequest({ kind: 'host' }, newRunId(), ['true'], { check });
    expect(request).toContain(check);
    expect(request).not.toContain('cgroup.procs');
  });
});
