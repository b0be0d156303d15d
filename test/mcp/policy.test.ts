import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { TOOLS } from '../../src/tools/index.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/rig.ts';
import { connectClient, type TestClient } from './client.ts';

const node = new SimulatedNode();
let dir = '';
beforeAll(async () => {
  await node.start();
  dir = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-policy-'));
});
afterAll(async () => {
  await node.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Connects a client to a server with these settings while `body` runs. */
async function withServer<T>(
  env: Readonly<Record<string, string>>,
  body: (client: TestClient) => Promise<T>,
): Promise<T> {
  const client = await connectClient({
    env: { ...node.settings(), STATE_DIR: path.join(dir, 'state'), TRANSFER_DIRS: dir, ...env },
  });
  try {
    return await body(client);
  } finally {
    await client.close();
  }
}

const namesOf = async (client: TestClient) =>
  (await client.listTools()).map(({ name }) => name.slice('proxmox_'.length));

const namesWhere = (fits: (tool: (typeof TOOLS)[number]) => boolean) =>
  TOOLS.filter(fits).map(({ name }) => name.slice('proxmox_'.length));

async function policyFile(name: string, text: string): Promise<string> {
  const file = path.join(dir, name);
  await writeFile(file, text);
  return file;
}

const exec = (client: TestClient, command: string, more: Record<string, unknown> = {}) =>
  client.callTool('proxmox_container_exec_command', {
    vmid: CT.busybox,
    command,
    response_format: 'json',
    ...more,
  });

const exists = async (file: string) => (await node.inContainer(CT.busybox, ['test', '-e', file])).code === 0;

describe('READ_ONLY and a tool that returns contents of containers', () => {
  const read = (client: TestClient, vmid: number = CT.debian) =>
    client.callTool('proxmox_read_file', { vmid, path: '/etc/hostname' });

  test.each([
    ['without a policy file', undefined],
    ['with a rule for all reads', 'rules: [{rule: reads, match: {effect: read}, outcome: allow}]'],
    ['with a rule for every tool', 'rules: [{rule: all, match: {tool: "*"}, outcome: allow}]'],
    ['with a rule that asks for it', 'rules: [{rule: ask, match: {tool: read_file}, outcome: confirm}]'],
    [
      'with a rule that no call comes to',
      'rules: [{rule: no, match: {tool: "read_*"}, outcome: deny}, {rule: yes, match: {tool: read_file}, outcome: allow}]',
    ],
  ])('%s it is not listed, and refused with the reason', async (_how, rules) => {
    const file =
      rules === undefined ? {} : { POLICY_FILE: await policyFile('reads.yaml', `extends: open\n${rules}\n`) };
    await withServer({ READ_ONLY: 'true', ...file }, async (client) => {
      expect(await namesOf(client)).not.toContain('read_file');
      const { data, text } = await read(client);
      expect(data).toMatchObject({
        success: false,
        code: expect.stringMatching(/^(READ_ONLY|POLICY_DENIED)$/),
      });
      expect(text).not.toContain('\ndebian');
      if (data.code === 'READ_ONLY') expect(data.error).toContain('returns contents of containers');
    });
  });

  test('with a rule that names it, only the calls that this rule allows run', async () => {
    const file = await policyFile(
      'named.yaml',
      `extends: open\nrules: [{rule: logs of one, match: {tool: read_file, vmid: ${CT.debian}}, outcome: allow}]\n`,
    );
    await withServer({ READ_ONLY: 'true', POLICY_FILE: file }, async (client) => {
      const names = await namesOf(client);
      expect(names).toContain('read_file');
      expect(names).not.toContain('read_logs');
      expect((await read(client)).text).toContain('\ndebian');
      const other = await read(client, CT.busybox);
      expect(other.data).toMatchObject({ success: false, code: 'READ_ONLY' });
    });
  });
});

describe('log lines in the result of an inspection', () => {
  const LOG = '/var/log/messages';
  beforeAll(async () => {
    for (const vmid of [CT.debian, CT.busybox]) {
      await node.inContainer(vmid, ['mkdir', '-p', '/var/log']);
      await node.writeInContainer(vmid, LOG, 'app: fatal error, key of the vault is 7312\n');
    }
  });

  const row = z.object({
    vmid: z.number(),
    state: z.string(),
    logs: z.object({ lines: z.array(z.string()) }).optional(),
    not_checked: z.array(z.object({ section: z.string(), reason: z.string() })),
  });
  async function inspect(env: Record<string, string>) {
    return withServer(env, async (client) => {
      const args = { vmids: [CT.debian, CT.busybox], sections: ['logs', 'memory'] };
      const { data, text, isError } = await client.callTool('proxmox_inspect_containers', args);
      expect(isError, text).toBe(false);
      const rows = z.array(row).parse(data.containers);
      const of = (vmid: number) => rows.find((each) => each.vmid === vmid);
      return { debian: of(CT.debian), busybox: of(CT.busybox), text, json: JSON.stringify(data) };
    });
  }

  test.each([
    ['READ_ONLY without a rule for read_logs', { READ_ONLY: 'true' }, '', 'READ_ONLY'],
    [
      'READ_ONLY with a rule for all reads',
      { READ_ONLY: 'true' },
      'match: {effect: read}, outcome: allow',
      'READ_ONLY',
    ],
    [
      'READ_ONLY with a rule for the inspection',
      { READ_ONLY: 'true' },
      'match: {tool: inspect_containers}, outcome: allow',
      'READ_ONLY',
    ],
    ['a rule that denies read_logs', {}, 'match: {tool: read_logs}, outcome: deny', 'POLICY_DENIED'],
    ['a rule that asks for read_logs', {}, 'match: {tool: read_logs}, outcome: confirm', 'needs approval'],
  ])('are withheld with %s, and the call continues', async (_how, env, rule, reason) => {
    const file = await policyFile(
      'logs.yaml',
      `extends: open\n${rule === '' ? '' : `rules: [{rule: one, ${rule}}]\n`}`,
    );
    const { debian, busybox, text, json } = await inspect({ ...env, POLICY_FILE: file });
    for (const each of [debian, busybox]) {
      expect(each?.logs).toBeUndefined();
      expect(each?.not_checked).toEqual([{ section: 'logs', reason: expect.stringContaining(reason) }]);
    }
    expect(text + json).not.toContain('7312');
    expect(text).toContain('Log lines are withheld');
  });

  test('are returned for the containers in which a rule by name allows read_logs', async () => {
    const rules = `rules: [{rule: logs of one, match: {tool: read_logs, vmid: ${CT.busybox}}, outcome: allow}]`;
    const file = await policyFile('logs-of-one.yaml', `extends: open\n${rules}\n`);
    const { debian, busybox } = await inspect({ READ_ONLY: 'true', POLICY_FILE: file });
    expect(busybox?.logs?.lines).toEqual([expect.stringContaining('7312')]);
    expect(debian?.logs).toBeUndefined();
  });
});

describe('a call with several decisions', () => {
  const edit = (client: TestClient, more: object = {}) =>
    client.callTool('proxmox_edit_file', {
      vmid: CT.debian,
      path: '/tmp/edited',
      edits: [{ old: 'old', new: 'new', replace_all: true }],
      ...more,
    });
  const content = async () => (await node.inContainer(CT.debian, ['cat', '/tmp/edited'])).stdout;

  test.each([
    ['by its effect', 'effect: exec', 'grep -q new {}'],
    ['by the name of the tool for commands', 'tool: container_exec_command', 'true'],
  ])('a policy that denies commands %s denies validate, and no other edit', async (_how, match, validate) => {
    const file = await policyFile(
      'no-exec.yaml',
      `extends: open\nrules: [{rule: no commands, match: {${match}}, outcome: deny}]\n`,
    );
    await node.writeInContainer(CT.debian, '/tmp/edited', 'old');
    await withServer({ POLICY_FILE: file }, async (client) => {
      const denied = await edit(client, { validate });
      expect(denied.data).toMatchObject({
        code: 'POLICY_DENIED',
        error: expect.stringContaining('proxmox_edit_file (validate)'),
      });
      expect(await content()).toBe('old');
      expect((await edit(client)).data).toMatchObject({ changed: true });
    });
  });

  test('an exact command as validate does not make an edit a read', async () => {
    await node.writeInContainer(CT.debian, '/tmp/edited', 'old');
    await withServer({ POLICY: 'read-only' }, async (client) => {
      expect((await edit(client, { validate: 'df -h' })).data).toMatchObject({ code: 'POLICY_DENIED' });
      expect(await content()).toBe('old');
    });
  });

  test('a copy is refused by a rule on its source, by one on its target, and on the node', async () => {
    const file = await policyFile(
      'copies.yaml',
      `extends: open\nrules:\n  - {rule: no source, match: {vmid: ${CT.debian}, effect: read}, outcome: deny}\n  - {rule: no target, match: {vmid: ${CT.busybox}, effect: write}, outcome: deny}\n`,
    );
    await withServer({ POLICY_FILE: file }, async (client) => {
      const copy = async (source: string, target: string) =>
        (await client.callTool('proxmox_copy_file', { source, target })).data;
      const hostname = '/etc/hostname';
      expect(await copy(`${CT.debian}:${hostname}`, `${CT.debian}:/tmp/copy`)).toMatchObject({
        code: 'POLICY_DENIED',
        error: expect.stringContaining('(source)'),
      });
      expect(await copy(`${CT.busybox}:${hostname}`, `${CT.busybox}:/tmp/copy`)).toMatchObject({
        code: 'POLICY_DENIED',
        error: expect.stringContaining('(target)'),
      });
      expect(await copy(`${CT.busybox}:${hostname}`, `${CT.debian}:/tmp/copy`)).toMatchObject({
        success: true,
      });
      expect(await copy(`${CT.busybox}:${hostname}`, 'host:/tmp/copy')).toMatchObject({
        code: 'HOST_ACCESS_DISABLED',
      });
    });
  });
});

describe('a tool that no rule allows', () => {
  test('is not listed, and its call is refused with the name of the rule', async () => {
    await withServer({ POLICY: 'read-only' }, async (client) => {
      // Some commands of those with the effect exec are allowed.
      expect(await namesOf(client)).toEqual(
        namesWhere(({ effect }) => effect === 'read' || effect === 'exec'),
      );
      const hidden = await client.callTool('proxmox_stop_container', { vmid: CT.busybox });
      expect(hidden.data).toMatchObject({
        success: false,
        code: 'POLICY_DENIED',
        error: expect.stringContaining('rule "read-only: everything else"'),
      });
      expect(node.isRunning(CT.busybox)).toBe(true);
    });
  });

  test('is refused with the reason of a rule in a file, whatever its arguments', async () => {
    const file = await policyFile(
      'no-stop.yaml',
      'extends: open\nrules:\n  - {rule: keep running, match: {tool: stop_container}, outcome: deny, reason: They serve customers.}\n',
    );
    await withServer({ POLICY_FILE: file }, async (client) => {
      expect(await namesOf(client)).not.toContain('stop_container');
      for (const args of [{ vmid: CT.busybox }, { vmid: CT.busybox, force: true }, {}]) {
        const { data } = await client.callTool('proxmox_stop_container', args);
        expect(data).toMatchObject({
          code: 'POLICY_DENIED',
          error:
            'proxmox_stop_container is refused by the policy, rule "keep running": They serve customers. The call was not executed.',
        });
      }
    });
  });

  test('is listed when only some calls are refused', async () => {
    const file = await policyFile(
      'some.yaml',
      `extends: open\nrules:\n  - {rule: not this one, match: {vmid: ${CT.busybox}, effect: [exec, destroy]}, outcome: deny}\n`,
    );
    await withServer({ POLICY_FILE: file }, async (client) => {
      expect(await namesOf(client)).toHaveLength(TOOLS.length);
      expect((await exec(client, 'touch /tmp/ruled')).data).toMatchObject({ code: 'POLICY_DENIED' });
      expect((await exec(client, 'true', { vmid: CT.debian })).data).toMatchObject({ exit_code: 0 });
      expect(await exists('/tmp/ruled')).toBe(false);
    });
  });

  test('is listed when only ENABLE_HOST_EXEC disables it, with how to enable it', async () => {
    await withServer({}, async (client) => {
      expect(await namesOf(client)).toContain('host_exec_command');
      const { data } = await client.callTool('proxmox_host_exec_command', { command: 'pct list' });
      expect(data).toMatchObject({ code: 'HOST_ACCESS_DISABLED' });
    });
  });
});

describe('exact commands', () => {
  test('run under read-only when the text is equal, in containers and on the host', async () => {
    await withServer({ POLICY: 'read-only', ENABLE_HOST_EXEC: 'true' }, async (client) => {
      expect((await exec(client, 'uptime')).data).toMatchObject({ ended: 'exit' });
      const host = await client.callTool('proxmox_host_exec_command', {
        command: 'pct list',
        response_format: 'json',
      });
      expect(host.data).toMatchObject({ exit_code: 0, stdout: expect.stringContaining(String(CT.debian)) });
      for (const command of [
        'uptime; touch /tmp/sneaked',
        'uptime\ntouch /tmp/sneaked',
        'uptime $(touch /tmp/sneaked)',
      ]) {
        expect((await exec(client, command)).data).toMatchObject({ code: 'POLICY_DENIED' });
      }
      expect(await exists('/tmp/sneaked')).toBe(false);
    });
  });

  test('do not run under READ_ONLY', async () => {
    await withServer({ POLICY: 'open', READ_ONLY: 'true' }, async (client) => {
      expect(await namesOf(client)).toEqual(
        namesWhere(({ effect, discloses }) => effect === 'read' && discloses !== true),
      );
      expect((await exec(client, 'uptime')).data).toMatchObject({ code: 'READ_ONLY' });
    });
  });
});

describe('attributes of the container', () => {
  test('apply as soon as a tag is added or removed', async () => {
    const file = await policyFile(
      'tags.yaml',
      'extends: open\nrules:\n  - {rule: frozen, match: {tag: hands-off, effect: [write, exec, destroy]}, outcome: deny}\n',
    );
    await withServer({ POLICY_FILE: file }, async (client) => {
      expect((await exec(client, 'true')).data).toMatchObject({ exit_code: 0 });
      const undo = await node.setConf(CT.busybox, 'hostname: busybox\nmemory: 64\ntags: hands-off;x\n');
      expect((await exec(client, 'touch /tmp/tagged')).data).toMatchObject({
        code: 'POLICY_DENIED',
        error: expect.stringContaining('"frozen"'),
      });
      expect(await exists('/tmp/tagged')).toBe(false);
      await undo();
      expect((await exec(client, 'true')).data).toMatchObject({ exit_code: 0 });
    });
  });
});

describe('expect_name', () => {
  test('refuses a call with another name, and returns the actual name and the container of the expected one', async () => {
    await withServer({}, async (client) => {
      const local_path = path.join(dir, 'upload.txt');
      await writeFile(local_path, 'x');
      const wrong = { vmid: CT.busybox, expect_name: 'debian' };
      const calls: readonly (readonly [string, Record<string, unknown>])[] = [
        [
          'proxmox_container_exec_command',
          { ...wrong, command: 'touch /tmp/wrong', response_format: 'json' },
        ],
        ['proxmox_upload_file_to_container', { ...wrong, local_path, container_path: '/tmp/wrong' }],
        ['proxmox_stop_container', { ...wrong, force: true }],
        ['proxmox_start_container', { vmid: CT.stopped, expect_name: 'debian' }],
      ];
      for (const [tool, args] of calls) {
        const { isError, data } = await client.callTool(tool, args);
        expect(isError).toBe(true);
        expect(data).toMatchObject({
          code: 'WRONG_TARGET',
          error: expect.stringMatching(
            new RegExp(`named "(busybox|stopped)".* The name belongs to container ${CT.debian}\\.`),
          ),
        });
      }
      expect(await exists('/tmp/wrong')).toBe(false);
      expect(node.isRunning(CT.busybox)).toBe(true);
      expect(node.isRunning(CT.stopped)).toBe(false);
    });
  });

  test('does not suggest a container in which the policy refuses the call', async () => {
    const file = await policyFile(
      'hidden.yaml',
      `rules: [{rule: no, match: {vmid: ${CT.debian}, effect: exec}, outcome: deny}]\ndefault: allow\n`,
    );
    await withServer({ POLICY_FILE: file }, async (client) => {
      const { data } = await exec(client, 'true', { expect_name: 'debian' });
      expect(data).toMatchObject({
        code: 'WRONG_TARGET',
        error: expect.not.stringContaining(String(CT.debian)),
      });
      const unknown = await exec(client, 'true', { expect_name: 'nobody' });
      expect(unknown.data).toMatchObject({ error: expect.not.stringContaining('belongs') });
    });
  });

  test('names the container in the result of a change', async () => {
    await withServer({}, async (client) => {
      const target = { vmid: CT.busybox, name: 'busybox' };
      expect((await exec(client, 'true')).data).toMatchObject(target);
      expect((await client.callTool('proxmox_start_container', { vmid: CT.busybox })).data).toMatchObject(
        target,
      );
    });
  });

  test('allows a call with the right name', async () => {
    await withServer({}, async (client) => {
      expect((await exec(client, 'hostname', { expect_name: 'busybox' })).data).toMatchObject({
        exit_code: 0,
      });
    });
  });

  test('is required by a rule: a call without it is refused, with how to add it', async () => {
    const file = await policyFile(
      'named.yaml',
      'rules:\n  - {rule: say whom, match: {effect: [exec, write, destroy]}, outcome: allow, require: expect_name}\n  - {rule: look, match: {effect: read}, outcome: allow}\n',
    );
    await withServer({ POLICY_FILE: file }, async (client) => {
      expect((await exec(client, 'touch /tmp/unnamed')).data).toMatchObject({
        code: 'POLICY_DENIED',
        error: expect.stringMatching(/"say whom".*`expect_name`/),
      });
      expect(await exists('/tmp/unnamed')).toBe(false);
      expect((await exec(client, 'true', { expect_name: 'busybox' })).data).toMatchObject({ exit_code: 0 });
      // The tool has no such parameter, and changes nothing in the container.
      const local_path = path.join(dir, 'hostname');
      const download = { vmid: CT.busybox, container_path: '/etc/hostname', local_path };
      expect((await client.callTool('proxmox_download_file_from_container', download)).data).toMatchObject({
        success: true,
      });
      expect(await readFile(local_path, 'utf8')).toContain('busybox');
    });
  });
});
