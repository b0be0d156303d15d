import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { failureOf, useClient } from '../e2e/connect.ts';
import { describeNode } from '../e2e/nodes.ts';
import { CT } from '../rig/rig.ts';

const operator = { SSH_USERNAME: 'operator', SUDO: 'true', EXEC_METHOD: 'pct' };
const dir = mkdtempSync(path.join(tmpdir(), 'proxmox-mcp-pct-rules-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function policyFile(name: string, rules: readonly string[]): string {
  const file = path.join(dir, name);
  writeFileSync(file, `default: allow\nrules:\n${rules.map((rule) => `  - {${rule}}\n`).join('')}`);
  return file;
}

describeNode('rules, where sudo allows nothing but pct', [], (node) => {
  const asked = { vmid: CT.debian, command: 'touch /tmp/ruled', response_format: 'json' };
  const nothingRan = async () =>
    expect((await node.inContainer(CT.debian, ['ls', '/tmp'])).stdout).not.toContain('ruled');

  describe('about name, tag and node', () => {
    const server = useClient(node, {
      ...operator,
      POLICY_FILE: policyFile('told.yaml', [
        'rule: by tag, match: {tag: web, effect: exec}, outcome: deny',
        'rule: by name, match: {name: busy*, effect: exec}, outcome: deny',
        'rule: by node, match: {node: pve1, effect: destroy}, outcome: deny',
        'rule: reads, match: {tag: rig, effect: read}, outcome: allow',
      ]),
    });

    test('hold', async () => {
      for (const [tool, args, rule] of [
        ['container_exec_command', { vmid: CT.debian, command: 'true' }, 'by tag'],
        ['container_exec_command', { vmid: CT.busybox, command: 'true' }, 'by name'],
        ['stop_container', { vmid: CT.locked }, 'by node'],
      ] as const) {
        const failure = failureOf(await server.call(tool, args));
        expect(failure).toMatchObject({ code: 'POLICY_DENIED', error: expect.stringContaining(`"${rule}"`) });
      }
      const { data } = await server.call('container_status', { vmid: CT.debian });
      expect(data).toMatchObject({ status: 'running', name: 'debian', tags: ['rig', 'web'] });
    });

    test('a name that is not the one expected is told', async () => {
      const stop = { vmid: CT.stopped, expect_name: 'other' };
      expect(failureOf(await server.call('start_container', stop)).code).toBe('WRONG_TARGET');
    });
  });

  describe('about the pool', () => {
    const server = useClient(node, {
      ...operator,
      POLICY_FILE: policyFile('pool.yaml', [
        'rule: another name, match: {name: nobody, pool: prod}, outcome: deny',
        'rule: by pool, match: {tag: web, pool: prod}, outcome: allow',
      ]),
    });

    test('refuse, and say why; where their other fields do not fit they change nothing', async () => {
      const failure = failureOf(await server.call('container_exec_command', asked));
      expect(failure.code).toBe('ATTRIBUTES_UNREADABLE');
      expect(failure.error).toMatch(/"by pool".* pool .*pct/);
      await nothingRan();
      expect(await server.exec(CT.busybox, 'echo ran')).toMatchObject({ stdout: 'ran\n' });
    });
  });

  describe('that want a yes', () => {
    const server = useClient(node, { ...operator, PROTECTED_TAG: 'web', APPROVALS: 'terminal' });

    test('ask nobody, for the node could not note that the yes is used up', async () => {
      const failure = failureOf(await server.call('container_exec_command', asked));
      expect(failure.code).toBe('APPROVAL_UNCLAIMED');
      expect(failure.suggestion).toContain('sudo');
      await nothingRan();
    });
  });
});
