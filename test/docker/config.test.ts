import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { runCli } from '../cli/run.ts';
import { readDockerfile } from './dockerfile.ts';

const dockerfile = fileURLToPath(new URL('../../Dockerfile', import.meta.url));

let dir = '';
let sim: Simulator;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'docker-config-'));
  sim = await Simulator.start({});
});
afterAll(async () => {
  await sim.stop();
  await rm(dir, { recursive: true, force: true });
});

/** The values of an option of `docker run`. */
const valuesOf = (command: string, option: string): readonly string[] =>
  [...command.matchAll(new RegExp(` ${option} (\\S+)`, 'g'))].map(([, value = '']) => value);

test('runs the image with the configuration of init and the mounts of `config docker` alone', async () => {
  const home = path.join(dir, 'home');
  await mkdir(path.join(home, '.ssh'), { recursive: true });
  const { host, port, keyPath, user } = sim.node().connection;
  const key = path.join(home, '.ssh', 'id_ed25519');
  await copyFile(keyPath, key);
  const set = ['--i-accept-risks', '--ssh-key', key, '--ssh-host-key-policy', 'accept-new'];
  const init = ['init', '--yes', `${user}@${host}:${port}`, ...set, '--level', 'containers'];
  expect(await runCli(init, { cwd: home })).toMatchObject({ code: 0, stderr: '' });
  const { code, stdout: command } = await runCli(['config', 'docker'], { cwd: home });
  expect(code).toBe(0);

  // The container's root, for the paths in the command and the image.
  const root = path.join(dir, 'root');
  const inside = (file: string) => path.join(root, file);
  await mkdir(inside('/run/secrets'), { recursive: true });
  await mkdir(inside('/files'));
  const mounts = valuesOf(command, '-v').filter((each) => each.endsWith(':ro'));
  expect(mounts).toHaveLength(3);
  for (const mount of mounts) {
    const [source = '', target = ''] = mount.split(':');
    await copyFile(source, inside(target));
  }
  const image = readDockerfile(await readFile(dockerfile, 'utf8')).at(-1);
  const given = Object.fromEntries(valuesOf(command, '-e').map((each) => each.split('=', 2)));
  const env = Object.fromEntries(
    Object.entries<string>({ ...image?.env, ...given }).map(([name, value]) => [
      name,
      value.startsWith('/') ? inside(value) : value,
    ]),
  );
  // A container does not see the home directory.
  await rm(home, { recursive: true });

  const list = await runCli(['list'], { cwd: root, env });
  expect(list).toMatchObject({ code: 0, stderr: '' });
  expect(list.stdout).toContain('101');
  // The pinned key is checked: nothing else is trusted on first use.
  const strict = await runCli(['list', '--ssh-host-key-policy', 'strict'], { cwd: root, env });
  expect(strict).toMatchObject({ code: 0, stderr: '' });
  const unpinned = { ...env, SSH_KNOWN_HOSTS: inside('/run/secrets/none') };
  const refused = await runCli(['list', '--ssh-host-key-policy', 'strict'], { cwd: root, env: unpinned });
  expect(refused.stderr).toContain('HOST_KEY_UNKNOWN');
});
