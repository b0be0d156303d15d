import { afterEach, describe, expect, test } from 'vitest';
import { describeRig } from '../rig/require.ts';
import { CT, type Rig, type Undo } from '../rig/rig.ts';
import { failureOf, useClient } from './connect.ts';

const vmid = CT.stopped;

/** Replaces pct until the undo. The replacement logs each call, and gets the verb as $1. */
async function replacePct(rig: Rig, script: string): Promise<Undo> {
  const before = await rig.readInNode('/usr/sbin/pct');
  await rig.writeInNode('/usr/sbin/pct', `#!/bin/sh\n${script}\n`);
  return async () => rig.writeInNode('/usr/sbin/pct', before);
}

/** Logs each call of lxc-stop, which must not be replaced where HA manages the container. */
async function noteLxcStop(rig: Rig): Promise<Undo> {
  await rig.writeInNode(
    '/usr/sbin/lxc-stop',
    '#!/bin/sh\necho "$*" >>/tmp/lxc-stop-calls\nexec /usr/bin/lxc-stop "$@"\n',
  );
  await rig.inNode(['chmod', '755', '/usr/sbin/lxc-stop']);
  return async () => void (await rig.inNode(['rm', '-f', '/usr/sbin/lxc-stop', '/tmp/lxc-stop-calls']));
}

describeRig('a success reported by pct', (rig) => {
  const { call } = useClient(rig);
  const undos: Undo[] = [];
  afterEach(async () => {
    for (const undo of undos.splice(0).reverse()) await undo();
    await rig.reset();
  });

  test('is rejected when the container does not run', async () => {
    undos.push(await replacePct(rig, 'exit 0'));
    expect(failureOf(await call('start_container', { vmid }))).toMatchObject({
      code: 'PCT_FAILED',
      error: expect.stringContaining(`reported success, but container ${vmid} is not running`),
    });
  });

  describe('for a container managed by HA', () => {
    const managed = async () => {
      await rig.inNode(['mkdir', '-p', '/etc/pve/ha']);
      undos.push(await rig.setPve('ha/resources.cfg', `ct: ${vmid}\n\tstate started\n`));
    };

    test('waits for HA to stop it, without a kill', async () => {
      await managed();
      await rig.ensureStarted(vmid);
      undos.push(await noteLxcStop(rig));
      const later = `(sleep 14; /usr/bin/lxc-stop -n ${vmid} -k) >/dev/null 2>&1 &`;
      undos.push(await replacePct(rig, `echo "Requesting HA stop for CT ${vmid}"\n${later}`));
      const since = performance.now();
      const { data, text } = await call('stop_container', { vmid, timeout: 2 });
      expect(data, text).toMatchObject({ success: true, how: 'shutdown' });
      expect(performance.now() - since).toBeGreaterThan(13_000);
      expect((await rig.inNode(['cat', '/tmp/lxc-stop-calls'])).code).not.toBe(0);
    });

    test('reports a pending request when HA does not finish', async () => {
      await managed();
      await rig.ensureStarted(vmid);
      undos.push(await noteLxcStop(rig));
      undos.push(await replacePct(rig, `echo "Requesting HA stop for CT ${vmid}"`));
      expect(failureOf(await call('stop_container', { vmid, timeout: 1 }))).toMatchObject({
        code: 'TIMEOUT',
        error: expect.stringContaining('has not finished it yet'),
      });
      expect(rig.isRunning(vmid)).toBe(true);
      expect((await rig.inNode(['cat', '/tmp/lxc-stop-calls'])).code).not.toBe(0);
    });

    test('names the node when HA starts it on an unusable node', async () => {
      await managed();
      const vmlist = (await rig.readInNode('/etc/pve/.vmlist')).toString('utf8');
      undos.push(await rig.setPve('.vmlist', vmlist));
      const moved = vmlist.replace(`"${vmid}": { "node": "pve1"`, `"${vmid}": { "node": "pve2"`);
      expect(moved).not.toBe(vmlist);
      await rig.writeInNode('/tmp/moved-vmlist', moved);
      const move = '(sleep 2; cat /tmp/moved-vmlist >/etc/pve/.vmlist) >/dev/null 2>&1 &';
      undos.push(await replacePct(rig, `echo "Requesting HA start for CT ${vmid}"\n${move}`));
      const since = performance.now();
      expect(failureOf(await call('start_container', { vmid }))).toMatchObject({
        code: 'TIMEOUT',
        error: expect.stringContaining('pve2'),
      });
      expect(performance.now() - since).toBeLessThan(15_000);
    });

    test('returns the next step for a service in state error', async () => {
      await managed();
      const status = { service_status: { [`ct:${vmid}`]: { state: 'error' } } };
      undos.push(await rig.setPve('ha/manager_status', JSON.stringify(status)));
      expect(failureOf(await call('start_container', { vmid }))).toMatchObject({
        code: 'PCT_FAILED',
        suggestion: expect.stringContaining(`ha-manager set ct:${vmid} --state disabled`),
      });
    });
  });
});
