import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { failureOf } from '../e2e/connect.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { connectClient } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';

const node = new SimulatedNode();
beforeAll(() => node.start());
afterAll(() => node.stop());

const SOURCE = `${CT.debian}:/tmp/source`;
const TARGET = `${CT.busybox}:/tmp/copy`;
const isCopied = async () => (await node.inContainer(CT.busybox, ['ls', '/tmp'])).stdout.includes('copy');

/** Copies under these rules, with one answer to all questions. @returns the result and the lines of the questions */
async function copy(rules: string, allow: boolean, env: Record<string, string> = {}, target = TARGET) {
  const dir = await mkdtemp(path.join(tmpdir(), 'copy-approval-'));
  await writeFile(path.join(dir, 'policy.yaml'), rules);
  const questions: string[][] = [];
  const client = await connectClient({
    era: 'legacy',
    env: {
      ...node.settings(),
      POLICY_FILE: path.join(dir, 'policy.yaml'),
      STATE_DIR: path.join(dir, 'state'),
      ...env,
    },
    respond: async (question) => {
      questions.push(question.split('\n'));
      expect(await isCopied()).toBe(false);
      return { action: 'accept', content: { allow } };
    },
  });
  onTestFinished(async () => {
    await client.close();
    await rm(dir, { recursive: true, force: true });
    for (const vmid of [CT.debian, CT.busybox]) {
      await node.inContainer(vmid, ['rm', '-f', '/tmp/source', '/tmp/copy']);
    }
  });
  await node.writeInContainer(CT.debian, '/tmp/source', 'content');
  return { result: await client.callTool('proxmox_copy_file', { source: SOURCE, target }), questions };
}

const ASK_BOTH =
  'rules: [{ rule: ask, outcome: confirm, match: { effect: [read, write] } }]\ndefault: allow\n';

test.each([
  ['allowed', true],
  ['declined', false],
])('the question names both sides, each with its effect and its path: %s', async (_what, allow) => {
  const { result, questions } = await copy(ASK_BOTH, allow);
  expect(questions).toHaveLength(1);
  const [lines = []] = questions;
  const at = (line: string | RegExp) =>
    lines.findIndex((each) => (typeof line === 'string' ? each === line : line.test(each)));
  expect(lines[0]).toBe('Allow proxmox_copy_file (write) once?');
  expect(at('Part: target (write)')).toBeGreaterThan(0);
  expect(at(new RegExp(`^Container: ${CT.busybox}, busybox; `))).toBe(at('Part: target (write)') + 1);
  expect(at('Part: source (read)')).toBeGreaterThan(0);
  expect(at(new RegExp(`^Container: ${CT.debian}, debian; `))).toBe(at('Part: source (read)') + 1);
  expect(lines).toContain(`source: "${SOURCE}"`);
  expect(lines).toContain(`target: "${TARGET}"`);
  expect(lines).toContain('Approval required by: rule "ask"');
  expect(await isCopied()).toBe(allow);
  if (allow) expect(result.data, result.text).toMatchObject({ success: true });
  else expect(failureOf(result).code).toBe('CONFIRMATION_REFUSED');
});

test.each([
  ['source', 'read', CT.debian],
  ['target', 'write', CT.busybox],
] as const)('a rule on the %s alone: the question also names the other side', async (_role, effect, vmid) => {
  const rules = `rules: [{ rule: ask, outcome: confirm, match: { vmid: ${vmid}, effect: ${effect} } }]\ndefault: allow\n`;
  const { questions } = await copy(rules, false);
  expect(questions).toHaveLength(1);
  const text = questions.flat().join('\n');
  expect(text).toMatch(new RegExp(`^Part: source \\(read\\)\nContainer: ${CT.debian}, debian`, 'm'));
  expect(text).toMatch(new RegExp(`^Part: target \\(write\\)\nContainer: ${CT.busybox}, busybox`, 'm'));
  expect(text).toContain(`source: "${SOURCE}"`);
  expect(text).toContain(`target: "${TARGET}"`);
  expect(await isCopied()).toBe(false);
});

test('the question says that the other side is the node itself', async () => {
  const { questions } = await copy(ASK_BOTH, false, { ENABLE_HOST_EXEC: 'true' }, 'host:/tmp/copy');
  const text = questions.flat().join('\n');
  expect(text).toMatch(
    /^Part: target \(write\)\nTarget: the Proxmox node .* itself, which can affect every guest$/m,
  );
  expect(text).toMatch(new RegExp(`^Part: source \\(read\\)\\nContainer: ${CT.debian}, debian`, 'm'));
});
