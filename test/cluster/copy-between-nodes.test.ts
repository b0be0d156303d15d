import { beforeEach, expect, test } from 'vitest';
import { failureOf } from '../e2e/connect.ts';
import { until } from '../rig/until.ts';
import { type ClusterServer, describeCluster, serve } from './describe-cluster.ts';
import { MEMBERS } from './three-nodes.ts';

const { first, second, third } = MEMBERS;

describeCluster('copies between containers on different nodes', (cluster) => {
  let server: ClusterServer;
  let directory = '';
  let serial = 0;
  beforeEach(async () => {
    server = await serve(cluster, ['pve1'], { POLICY: 'open' });
    serial += 1;
    directory = `/root/copies-${serial}`;
    for (const vmid of [first, second, third]) await inside(vmid, `mkdir ${directory}`);
  });

  const inside = async (vmid: number, command: string) => (await cluster.inContainer(vmid, command)).stdout;
  const copy = (from: number, to: number, more: object = {}, names = ['source', 'copy']) =>
    server.call('copy_file', {
      source: `${from}:${directory}/${names[0]}`,
      target: `${to}:${directory}/${names[1]}`,
      ...more,
    });
  const digest = (vmid: number, name: string) => inside(vmid, `sha256sum <${directory}/${name}`);
  const fill = (vmid: number, bytes: number) =>
    inside(vmid, `head -c ${bytes} /dev/urandom >${directory}/source`);
  const nothingLeft = (vmid: number) =>
    until(async () => !/\.part/.test(await inside(vmid, `ls -a ${directory}`)), 30_000);

  test.each([
    ['from another node', second, first],
    ['to another node', first, third],
    ['between two other nodes', second, third],
    ['between two other nodes, the other way', third, second],
  ])('keep content, mode and numeric owner %s', async (_name, from, to) => {
    await fill(from, 3_000_001);
    await inside(from, `chown 33:44 ${directory}/source; chmod 751 ${directory}/source`);
    const result = await copy(from, to);
    expect(result.data, result.text).toMatchObject({ success: true, bytes_transferred: 3_000_001 });
    expect(await digest(to, 'copy')).toBe(await digest(from, 'source'));
    expect(await inside(to, `stat -c '%a %u %g' ${directory}/copy`)).toBe('751 33 44\n');
    expect(failureOf(await copy(from, to)).code).toBe('FILE_EXISTS');
    await nothingLeft(to);
  });

  test('keep a directory with its links', async () => {
    await inside(
      second,
      `cd ${directory} && mkdir -p source/sub && head -c 300000 /dev/urandom >source/sub/file && ln -s sub/file source/link`,
    );
    const result = await copy(second, third, { recursive: true });
    expect(result.data, result.text).toMatchObject({ kind: 'directory', files: 1, directories: 2, links: 1 });
    const seen = (vmid: number, name: string) =>
      inside(vmid, `cd ${directory}/${name} && readlink link && sha256sum <sub/file`);
    expect(await seen(third, 'copy')).toBe(await seen(second, 'source'));
  });

  test('run in both directions at once', async () => {
    for (const vmid of [second, third]) await fill(vmid, 200_000);
    const results = await Promise.all(
      [1, 2, 3, 4].flatMap((index) => [
        copy(second, third, {}, ['source', `copy-${index}`]),
        copy(third, second, {}, ['source', `copy-${index}`]),
      ]),
    );
    expect(results.filter(({ isError }) => isError).map(({ text }) => text)).toEqual([]);
    for (const index of [1, 2, 3, 4]) {
      expect(await digest(third, `copy-${index}`)).toBe(await digest(second, 'source'));
      expect(await digest(second, `copy-${index}`)).toBe(await digest(third, 'source'));
    }
  });

  test('leave nothing when the source cannot be read, or the target has no directory', async () => {
    expect(failureOf(await copy(second, third)).code).toBe('SOURCE_NOT_FOUND');
    await fill(second, 1_000);
    expect((await copy(second, third, {}, ['source', 'missing/copy'])).isError).toBe(true);
    expect(await inside(third, `ls -A ${directory}`)).toBe('');
  });

  test('replace the target only if that is asked for', async () => {
    await fill(second, 1_000);
    await inside(third, `echo old >${directory}/copy`);
    expect(failureOf(await copy(second, third)).code).toBe('FILE_EXISTS');
    expect(await inside(third, `cat ${directory}/copy`)).toBe('old\n');
    expect((await copy(second, third, { overwrite: true })).data).toMatchObject({ overwritten: true });
    expect(await digest(third, 'copy')).toBe(await digest(second, 'source'));
  });
});
