import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cluster } from '../../src/proxmox/cluster.ts';
import type { ContainerAttributes } from '../../src/remote/remote-types.ts';
import { describeNode } from '../e2e/nodes.ts';
import { CT } from '../rig/rig.ts';
import { clusterOf, held, refused } from './cluster.ts';

const signal = new AbortController().signal;
const run = { timeoutMs: 10_000, signal, characterLimit: 10_000 };

describeNode('what a call was decided on, where sudo allows nothing but pct', [], (node) => {
  let cluster: Cluster;
  let lines: string[] = [];
  let factsOf: (vmid: number) => Promise<ContainerAttributes>;
  let root: Cluster;
  beforeAll(async () => {
    ({ cluster, lines, factsOf } = clusterOf(node, 'operator'));
    root = clusterOf(node, 'root').cluster;
    // From here on it is known that lxc-attach is not allowed either.
    await cluster.container(CT.debian).exec('true', run);
  });
  afterAll(async () => {
    await cluster.close(1000);
    await root.close(1000);
  });
  const config = (vmid: number): string =>
    readFileSync(new URL(`../fixtures/etc-pve/nodes/pve1/lxc/${vmid}.conf`, import.meta.url), 'utf8');

  test('is read by pct, but for the pool, and checked by the line that does the work', async () => {
    const facts = await factsOf(CT.debian);
    expect(facts).toEqual({
      vmid: CT.debian,
      name: 'debian',
      node: 'pve1',
      pool: undefined,
      tags: ['rig', 'web'],
    });
    lines.length = 0;
    expect(await factsOf(CT.debian)).toBe(facts);
    const place = cluster.container(CT.debian, held(facts));
    const result = await place.exec('cat; echo out; echo err >&2; exit 3', run);
    expect(lines).toHaveLength(1);
    expect(result).toMatchObject({ exitCode: 3, ended: 'exit' });
    expect([result.stdout.text, result.stderr.text]).toEqual(['out\n', 'err\n']);
    expect(await refused(factsOf(CT.elsewhere))).toBe('CONTAINER_NOT_FOUND');
  });

  test.each([
    ['gets a tag', (text: string) => text.replace('tags: rig;web', 'tags: rig;web;protected')],
    ['loses its tags', (text: string) => text.replace('tags: rig;web\n', '')],
    ['is renamed', (text: string) => text.replace('hostname: debian\n', 'hostname: other\n')],
    ['loses its name', (text: string) => text.replace('hostname: debian\n', '')],
    ['is gone', () => undefined],
  ])('a container that %s meanwhile is not worked on', async (_how, change) => {
    await node.reset();
    const facts = await factsOf(CT.debian);
    const undo = await node.setConf(CT.debian, change(config(CT.debian)));
    try {
      const place = cluster.container(CT.debian, held(facts));
      expect(await refused(place.exec('touch /tmp/ran', run))).toBe('TARGET_CHANGED');
      expect(await refused(place.status(signal))).toMatch(/TARGET_CHANGED|CONTAINER_NOT_FOUND/);
      const stop = place.stop({ timeoutS: 1, force: true, signal });
      expect(await refused(stop)).toMatch(/TARGET_CHANGED|CONTAINER_NOT_FOUND/);
      const download = { remotePath: '/etc/hostname', localPath: 'x', overwrite: true, signal };
      expect(await refused(place.download(download))).toBe('TARGET_CHANGED');
      expect(node.isRunning(CT.debian)).toBe(true);
    } finally {
      await undo();
    }
    expect((await node.inContainer(CT.debian, ['ls', '/tmp'])).stdout).not.toContain('ran');
    // What was known of it is forgotten: the next decision is made on how it is now.
    expect(await factsOf(CT.debian)).toEqual(facts);
  });

  test('what stands in a configuration is text: no shell runs it, and it feigns nothing', async () => {
    const name = `a'b"$(touch /tmp/by-name)\`touch /tmp/by-name\`;*`;
    const tags = `x$(touch\${IFS}/tmp/by-tag);*;'y`;
    const text = config(CT.debian)
      .replace('hostname: debian\n', `hostname: ${name}\n`)
      .replace('tags: rig;web\n', `tags: ${tags}\n`);
    const undo = await node.setConf(CT.debian, `#hostname: debian\n#tags: web\n${text}`);
    try {
      // Only an own look shows it: this name is known from before.
      const facts = await cluster.guest(CT.debian, signal, 'again');
      expect(facts).toMatchObject({ name, tags: [`x$(touch\${IFS}/tmp/by-tag)`, '*', "'y"] });
      const place = cluster.container(CT.debian, held(facts ?? null));
      expect((await place.exec('echo ran', run)).stdout.text).toBe('ran\n');
      expect((await root.host().exec('ls /tmp/by-name /tmp/by-tag 2>&1', run)).exitCode).not.toBe(0);
    } finally {
      await undo();
      await cluster.guest(CT.debian, signal, 'again');
    }
  });

  test('values of a snapshot, how tags are written, and what pct warns of do not matter', async () => {
    const facts = await factsOf(CT.debian);
    const text = config(CT.debian)
      .replace('tags: rig;web', 'tags: rig, web')
      .replace('hostname: debian\n', 'hostname:  debian \nnot a line that anybody knows\n');
    const undo = await node.setConf(CT.debian, `${text}\n[later]\nhostname: x\ntags: y\n`);
    const result = await cluster.container(CT.debian, held(facts)).exec('echo ran', run);
    await undo();
    expect([result.stdout.text, result.stderr.text]).toEqual(['ran\n', '']);
  });

  test('an approval can not be used up there, so nothing is run', async () => {
    const facts = await factsOf(CT.debian);
    lines.length = 0;
    for (const guard of [held(facts, 'ff00ff01'), held({ ...facts, pool: null }, 'ff00ff01')]) {
      const place = cluster.container(CT.debian, guard);
      expect(await refused(place.exec('touch /tmp/ran', run))).toBe('APPROVAL_UNCLAIMED');
    }
    expect((await node.inContainer(CT.debian, ['ls', '/tmp'])).stdout).not.toContain('ran');
  });
});
