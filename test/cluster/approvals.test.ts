import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { codeOf, RawClient, yes } from '../governance/raw-client.ts';
import { describeCluster } from './describe-cluster.ts';
import { MEMBERS } from './three-nodes.ts';

const RULES =
  'rules:\n  - rule: ask\n    match: { effect: [write, destroy, exec] }\n    outcome: confirm\ndefault: allow\n';

describeCluster('approvals in a cluster', (cluster) => {
  /** Two servers with the same settings and keys: the first has entered by pve1, the second by pve2. */
  async function replicas(): Promise<readonly [RawClient, RawClient]> {
    const dir = mkdtempSync(path.join(tmpdir(), 'cluster-approvals-'));
    writeFileSync(path.join(dir, 'policy.yaml'), RULES);
    const server = (name: string) =>
      new RawClient({
        HOME: dir,
        ...cluster.settings(['pve1', 'pve2']),
        POLICY_FILE: path.join(dir, 'policy.yaml'),
        STATE_DIR: path.join(dir, name),
        STATE_KEY: 'k'.repeat(48),
      });
    const start = await cluster.stopSsh('pve1');
    const second = server('second');
    onTestFinished(() => {
      second.kill();
      rmSync(dir, { recursive: true, force: true });
    });
    expect(codeOf(await second.call('container_status', { vmid: MEMBERS.second }))).toBe('complete');
    await start();
    const first = server('first');
    onTestFinished(() => first.kill());
    return [first, second];
  }
  const exec = (vmid: number, command: string) => ['container_exec_command', { vmid, command }] as const;

  test('are redeemed once, even if the second server uses another entry node', async () => {
    const [first, second] = await replicas();
    const call = exec(MEMBERS.second, 'echo ran >>/root/approved; cat /root/approved');
    const asked = await first.call(...call);
    expect(asked.resultType).toBe('input_required');
    const done = await second.call(...call, yes(asked.requestState));
    expect(done.structuredContent).toMatchObject({ stdout: 'ran\n' });
    expect(codeOf(await first.call(...call, yes(asked.requestState)))).toBe('APPROVAL_USED');
    expect(codeOf(await second.call(...call, yes(asked.requestState)))).toBe('APPROVAL_USED');
    expect((await cluster.inContainer(MEMBERS.second, 'cat /root/approved; rm /root/approved')).stdout).toBe(
      'ran\n',
    );
  });

  test('run the command once when two servers redeem one at the same time', async () => {
    const [first, second] = await replicas();
    const call = exec(MEMBERS.third, 'echo ran >>/root/raced');
    const asked = await first.call(...call);
    const both = await Promise.all(
      [first, second].map((each) => each.call(...call, yes(asked.requestState))),
    );
    expect(both.map(codeOf).filter((code) => code === 'APPROVAL_USED')).toHaveLength(1);
    expect((await cluster.inContainer(MEMBERS.third, 'cat /root/raced; rm /root/raced')).stdout).toBe(
      'ran\n',
    );
  });

  test('do not run the command twice when the container has moved', async () => {
    const [first, second] = await replicas();
    const call = exec(MEMBERS.moving, 'echo ran >>/root/moved');
    const asked = await first.call(...call);
    const migration = await cluster.beginMigration(MEMBERS.moving, 'pve3');
    await migration.finish();
    const answers = [
      codeOf(await first.call(...call, yes(asked.requestState))),
      codeOf(await second.call(...call, yes(asked.requestState))),
    ];
    const { stdout } = await cluster.inContainer(MEMBERS.moving, 'cat /root/moved; rm -f /root/moved');
    expect(stdout.split('\n').filter(Boolean).length, answers.join()).toBeLessThanOrEqual(1);
    // The call names the node: on another one it is another call.
    expect(answers).not.toContain('complete');
  });
});
