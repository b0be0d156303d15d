import { describe, expect, test } from 'vitest';
import { GUARD_SCRIPT } from '../../src/proxmox/guard-script.ts';
import { KILL_SCRIPT, RUN_SCRIPT } from '../../src/proxmox/scripts.ts';
import { UPLOAD_SCRIPT } from '../../src/proxmox/transfer-scripts.ts';
import { ScriptHost } from '../../src/simulator/script-host.ts';

/** Changes a script and makes sure that there was something to change. */
function mutated(script: string, from: string | RegExp, to: string): string {
  const changed = script.replace(from, to);
  if (changed === script) throw new Error(`the script does not contain ${String(from)}`);
  return changed;
}

describe('a promise of a script that is broken is seen on the simulator', () => {
  test.each([
    ['the script as it is', (script: string) => script, 'exit 3'],
    ['a run that always reports 0', (script: string) => mutated(script, 'c=$?', 'c=0'), 'exit 0'],
  ])('exit code: %s', async (_name, mutate, reported) => {
    const host = new ScriptHost();
    const { stdout } = await host.run(['sh', '-c', mutate(RUN_SCRIPT), 'sh', 'N', 'echo out; exit 3']);
    expect(stdout).toBe(`N start\nout\nN ${reported}\n`);
  });

  test.each([
    ['the script as it is', (script: string) => script, 0],
    ['a kill that does not kill', (script: string) => script.replaceAll('kill -', ': kill -'), 1],
  ])('kill: %s', async (_name, mutate, left) => {
    const host = new ScriptHost();
    const victim = host.start(['sh', '-c', "trap '' TERM; setsid sleep 60"], { env: { MARK: 'abc' } });
    await expect
      .poll(() => host.processes('sleep 60').filter(({ comm }) => comm === 'sleep'))
      .toHaveLength(1);
    await host.run(['sh', '-c', mutate(KILL_SCRIPT), 'sh', 'MARK=abc', '77777', '2', '5']);
    expect(host.processes('sleep 60').filter(({ comm }) => comm === 'sleep')).toHaveLength(left);
    for (const each of host.processes('sleep 60')) each.signal('KILL');
    await victim.exited;
  });

  test.each([
    ['the script as it is', (script: string) => script, 'new', []],
    [
      'an upload that does not rename',
      (script: string) => mutated(script, 'err=$(mv -f "$tmp" "$dest" 2>&1)', 'true'),
      'old',
      ['.part'],
    ],
    [
      'an upload that does not wait for the verdict',
      (script: string) => mutated(script, 'read -r verdict', 'verdict=$n'),
      'new',
      [],
    ],
  ])('upload: %s', async (name, mutate, content, parts) => {
    const host = new ScriptHost({ files: { '/srv/file': 'old' } });
    const args = ['N', '/srv/file', '3', '', '', '', '1', '.part'];
    const upload = host.start(['sh', '-c', mutate(UPLOAD_SCRIPT), 'sh', ...args]);
    await expect.poll(() => upload.stdout.toString()).toContain('ready');
    upload.write('new');
    await expect.poll(() => upload.stdout.toString()).toMatch(/done 3 [0-9a-f]{64}/);
    const waits = name !== 'an upload that does not wait for the verdict';
    if (waits) {
      expect(host.files.readText('/srv/file')).toBe('old');
      upload.write('N\n');
    }
    upload.end();
    expect(await upload.exited).toBe(0);
    expect(host.files.readText('/srv/file')).toBe(content);
    expect(host.files.list('/srv').filter((each) => each.startsWith('.'))).toEqual(parts);
  });

  test.each([
    ['the script as it is', (script: string) => script, 'N no changed\n', 96],
    [
      'a precondition that always holds',
      (script: string) =>
        mutated(script, 'no() { printf \'%s no %s\\n\' "$n" "$1"; exit 96; }', 'no() { :; }'),
      'N ok\n',
      0,
    ],
  ])('precondition: %s', async (_name, mutate, output, exitCode) => {
    const host = new ScriptHost({ files: { '/conf/101.conf': 'hostname: web\ntags: prod\n' } });
    const args = ['N', '101', '/conf/101.conf', 'another', 'prod ', '', '', ''];
    const { code, stdout } = await host.run(['sh', '-c', mutate(GUARD_SCRIPT), 'sh', ...args]);
    expect([code, stdout]).toEqual([exitCode, output]);
  });
});
