import { expect, test } from 'vitest';
import { failureOf } from '../e2e/connect.ts';
import { describeCluster, serve } from './describe-cluster.ts';
import { MEMBERS } from './three-nodes.ts';

describeCluster('later', (cluster) => {
  test('the cluster file system of the entry node hangs: told, and commands run', async () => {
    const server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    await server.call('list_containers', {});
    await cluster.hangPmxcfs('pve1');
    const since = performance.now();
    expect(failureOf(await server.call('list_containers', {}))).toMatchObject({ code: 'PMXCFS_UNAVAILABLE' });
    expect(performance.now() - since).toBeLessThan(5_000);
    expect((await server.exec(MEMBERS.first, 'hostname')).stdout).toBe('first\n');
    expect((await server.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
  }, 60_000);

  test('a start that HA does on another node is followed there', async () => {
    await cluster.manageByHa(MEMBERS.stopped, 'pve2');
    const server = await serve(cluster, ['pve1']);
    const { data, text } = await server.call('start_container', { vmid: MEMBERS.stopped });
    expect(data, text).toMatchObject({ success: true, changed: true });
    expect(cluster.ownerOf(MEMBERS.stopped)).toBe('pve2');
    expect(cluster.isRunning(MEMBERS.stopped)).toBe(true);
    expect((await server.exec(MEMBERS.stopped, 'hostname')).stdout).toBe('stopped\n');
    const stopped = await server.call('stop_container', { vmid: MEMBERS.stopped });
    expect(stopped.data, stopped.text).toMatchObject({ success: true });
    expect(cluster.isRunning(MEMBERS.stopped)).toBe(false);
  }, 90_000);
});
