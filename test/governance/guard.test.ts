import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/proxmox/cluster.ts';
import type { ContainerAttributes } from '../../src/remote/remote-types.ts';
import { describeNode } from '../e2e/nodes.ts';
import { CT, initialConf } from '../rig/containers.ts';
import { clusterOf, held, refused } from './cluster.ts';

const signal = new AbortController().signal;
const run = { timeoutMs: 10_000, signal, characterLimit: 10_000 };

describeNode('the precondition of a call', [], (node) => {
  let cluster: Cluster;
  let lines: string[] = [];
  let factsOf: (vmid: number) => Promise<ContainerAttributes>;
  beforeAll(() => {
    ({ cluster, lines, factsOf } = clusterOf(node, 'root'));
  });
  afterAll(() => cluster.close(1000));

  test('uses cached attributes, and is checked without another round trip', async () => {
    await cluster.list(signal);
    lines.length = 0;
    const facts = await factsOf(CT.debian);
    expect(lines).toHaveLength(0);
    expect(facts).toMatchObject({ name: 'debian', node: 'pve1', tags: ['rig', 'web'] });
    const result = await cluster
      .container(CT.debian, held(facts))
      .exec('cat; echo out; echo err >&2; exit 3', run);
    expect(lines).toHaveLength(1);
    expect(result).toMatchObject({ exitCode: 3, ended: 'exit' });
    expect([result.stdout.text, result.stderr.text]).toEqual(['out\n', 'err\n']);
  });

  const onHost = (command: string) => cluster.host().exec(command, run);

  test.each([
    ['gets a tag', (text: string) => text.replace('tags: rig;web', 'tags: rig;web;protected')],
    ['loses its tags', (text: string) => text.replace('tags: rig;web\n', '')],
    ['is renamed', (text: string) => text.replace('hostname: debian\n', 'hostname: other\n')],
    ['loses its name', (text: string) => text.replace('hostname: debian\n', '')],
    ['is gone', () => undefined],
  ])('refuses a container that %s after the decision', async (_how, change) => {
    await node.reset();
    const facts = await factsOf(CT.debian);
    const undo = await node.setConf(CT.debian, change(initialConf(CT.debian)));
    try {
      const place = cluster.container(CT.debian, held(facts));
      expect(await refused(place.exec('touch /tmp/ran', run))).toBe('TARGET_CHANGED');
      expect(await refused(place.status(signal))).toMatch(/TARGET_CHANGED|CONTAINER_NOT_FOUND/);
      expect(await refused(place.stop({ timeoutS: 1, force: true, signal }))).toMatch(
        /TARGET_CHANGED|NOT_FOUND/,
      );
      const download = { remotePath: '/etc/hostname', localPath: 'x', overwrite: true, signal };
      expect(await refused(place.download(download))).toMatch('TARGET_CHANGED');
      expect(node.isRunning(CT.debian)).toBe(true);
    } finally {
      await undo();
    }
    expect((await node.inContainer(CT.debian, ['ls', '/tmp'])).stdout).not.toContain('ran');
    // The known attributes are discarded: the next decision uses the current ones.
    lines.length = 0;
    expect(await factsOf(CT.debian)).toEqual(facts);
    expect(lines).toHaveLength(1);
  });

  test('ignores snapshot values and the notation of tags', async () => {
    const facts = await factsOf(CT.debian);
    const text = initialConf(CT.debian)
      .replace('tags: rig;web', 'tags: rig, web')
      .replace('hostname: debian\n', 'hostname:  debian \n');
    const undo = await node.setConf(CT.debian, `${text}\n[later]\nhostname: x\ntags: y\n`);
    const result = await cluster.container(CT.debian, held(facts)).exec('echo ran', run);
    await undo();
    expect(result.stdout.text).toBe('ran\n');
  });

  test('identifies a container without name and tags by its VMID', async () => {
    const undo = await node.setConf(CT.debian, 'arch: amd64');
    await cluster.list(signal);
    const facts = await factsOf(CT.debian);
    expect(facts).toMatchObject({ name: `CT${CT.debian}`, tags: [], pool: null });
    const result = await cluster.container(CT.debian, held(facts)).exec('echo ran', run);
    await undo();
    expect(result.stdout.text).toBe('ran\n');
    await cluster.list(signal);
  });

  test('includes the pool', async () => {
    const users = (vmids: string) =>
      `user:root@pam:1:0::::\npool:other:::::\npool:prod:a%3Ab:${vmids}:local:\nacl:1:/pool/prod:root@pam:Admin:`;
    await onHost(`echo '${users(`100,${CT.debian}`)}' >/etc/pve/user.cfg`);
    try {
      await cluster.list(signal);
      const facts = await factsOf(CT.debian);
      expect(facts.pool).toBe('prod');
      const place = cluster.container(CT.debian, held(facts));
      expect((await place.exec('echo ran', run)).stdout.text).toBe('ran\n');
      await onHost(`echo '${users(`100,1${CT.debian}`)}' >/etc/pve/user.cfg`);
      expect(await refused(place.exec('echo ran', run))).toBe('TARGET_CHANGED');
      const unaffected = cluster.container(CT.debian, { ...held(facts), unneeded: ['pool'] });
      expect((await unaffected.exec('echo ran', run)).stdout.text).toBe('ran\n');
    } finally {
      await onHost('rm /etc/pve/user.cfg');
      await cluster.list(signal);
    }
  });

  describe('an approval', () => {
    const id = () => randomBytes(16).toString('hex');

    test('is redeemed by one call, in a container or on the host', async () => {
      const facts = await factsOf(CT.busybox);
      for (const place of [
        () => cluster.container(CT.busybox, held(facts, claim)),
        () => cluster.host(held(null, claim)),
      ]) {
        claim = id();
        expect((await place().exec('echo ran', run)).stdout.text).toBe('ran\n');
        expect(await refused(place().exec('echo ran again', run))).toBe('APPROVAL_USED');
      }
    });
    let claim = '';

    test('is redeemed once by concurrent calls', async () => {
      const shared = id();
      const calls = Array.from({ length: 6 }, () => cluster.host(held(null, shared)).exec('echo ran', run));
      const ends = await Promise.allSettled(calls);
      const codes = ends.map((end) => (end.status === 'fulfilled' ? 'ran' : end.reason.code));
      expect(codes.sort()).toEqual([...Array(5).fill('APPROVAL_USED'), 'ran']);
    });

    test('is not redeemed by a call whose precondition fails', async () => {
      const facts = await factsOf(CT.debian);
      const wrong = cluster.container(CT.debian, held({ ...facts, name: 'other' }, 'ff00ff00'));
      expect(await refused(wrong.exec('echo ran', run))).toBe('TARGET_CHANGED');
      const now = await factsOf(CT.debian);
      const right = cluster.container(CT.debian, held(now, 'ff00ff00'));
      expect((await right.exec('echo ran', run)).stdout.text).toBe('ran\n');
      await onHost('rm -r /run/proxmox-mcp/claims/ff00ff00');
    });

    test('is refused when its use cannot be recorded', async () => {
      await onHost('rm -rf /run/proxmox-mcp; echo >/run/proxmox-mcp');
      try {
        expect(await refused(cluster.host(held(null, id())).exec('echo ran', run))).toBe(
          'APPROVAL_UNCLAIMED',
        );
      } finally {
        await onHost('rm -f /run/proxmox-mcp');
      }
    });

    test('is recorded where only root can read', async () => {
      await cluster.host(held(null, id())).exec('true', run);
      const { stdout } = await onHost('stat -c %a /run/proxmox-mcp /run/proxmox-mcp/claims');
      expect(stdout.text).toBe('700\n700\n');
    });

    test('is removed after two days', async () => {
      const old = id();
      await cluster.host(held(null, old)).exec(`touch -d '-49 hours' /run/proxmox-mcp/claims/${old}`, run);
      await cluster.host(held(null, id())).exec('true', run);
      expect((await onHost(`ls -d /run/proxmox-mcp/claims/${old}`)).exitCode).not.toBe(0);
    });
  });

  test('does not parse output of a command as a precondition', async () => {
    const facts = await factsOf(CT.debian);
    const { stdout } = await cluster
      .container(CT.debian, held(facts))
      .exec('echo 0123 no changed; echo 0123 ok', run);
    expect(stdout.text).toBe('0123 no changed\n0123 ok\n');
  });
});
