import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/rig.ts';
import { connectClient, ERAS, type Era, type TestClient } from './client.ts';

const node = new SimulatedNode();
let dir = '';
beforeAll(async () => {
  await node.start();
  dir = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-resources-'));
});
afterAll(async () => {
  await node.stop();
  await rm(dir, { recursive: true, force: true });
});

async function withServer(
  env: Readonly<Record<string, string>>,
  body: (client: TestClient) => Promise<void>,
  era: Era = 'modern',
): Promise<void> {
  const client = await connectClient({ era, env: { ...node.settings(), STATE_DIR: dir, ...env } });
  try {
    await body(client);
  } finally {
    await client.close();
  }
}

const contentsShape = z.object({
  contents: z.tuple([
    z.object({ uri: z.string(), mimeType: z.literal('application/json'), text: z.string() }),
  ]),
});

async function read(client: TestClient, uri: string): Promise<unknown> {
  const [content] = contentsShape.parse(await client.asking.readResource({ uri })).contents;
  expect(content.uri).toBe(uri);
  return JSON.parse(content.text);
}

const ALL = 'proxmox://containers';
const one = (vmid: number | string) => `${ALL}/${vmid}`;

describe.each(ERAS)('resources, %s', (era) => {
  test('return the same data as the tools', async () => {
    await withServer(
      {},
      async (client) => {
        // The server does not announce subscriptions: it sends no message when a container changes.
        expect(client.asking.getServerCapabilities()?.resources).toEqual({
          listChanged: false,
          subscribe: false,
        });
        expect(await client.asking.listResources()).toMatchObject({ resources: [{ uri: ALL }] });
        expect(await client.asking.listResourceTemplates()).toMatchObject({
          resourceTemplates: [{ uriTemplate: one('{vmid}') }],
        });
        const listed = await client.callTool('proxmox_list_containers');
        expect(await read(client, ALL)).toEqual(listed.data.containers);
        const status = await client.callTool('proxmox_container_status', { vmid: CT.locked });
        expect(await read(client, one(CT.locked))).toMatchObject({
          vmid: CT.locked,
          name: status.data.name,
          status: 'running',
          lock: 'backup',
        });
      },
      era,
    );
  });

  test('return an error for unknown URIs', async () => {
    await withServer(
      {},
      async (client) => {
        const wrong = [
          '',
          'x',
          '99',
          '0x65',
          '0101',
          ` ${CT.debian}`,
          `${CT.debian}/`,
          `${CT.debian}?a`,
          '{vmid}',
        ];
        const others = ['proxmox://container', 'PROXMOX://containers', 'file:///etc/passwd', 'proxmox://'];
        for (const uri of [...wrong.map(one), one(CT.unknown), one(100), ...others]) {
          await expect(client.asking.readResource({ uri }), uri).rejects.toMatchObject({
            code: -32602,
            data: { uri },
          });
        }
      },
      era,
    );
  });
});

test('follow the same policy as the tools', async () => {
  const file = path.join(dir, 'policy.yaml');
  await writeFile(
    file,
    `default: allow
rules:
  - {rule: no lists, match: {tool: list_containers}, outcome: deny, reason: Not here.}
  - {rule: not this one, match: {vmid: ${CT.debian}}, outcome: deny}
  - {rule: ask, match: {vmid: ${CT.busybox}}, outcome: confirm}
`,
  );
  await withServer({ POLICY_FILE: file }, async (client) => {
    expect(await client.asking.listResources()).toMatchObject({ resources: [] });
    for (const [uri, code] of [
      [ALL, 'POLICY_DENIED'],
      [one(CT.debian), 'POLICY_DENIED'],
      [one(CT.busybox), 'CONFIRMATION_REQUIRED'],
    ] as const) {
      await expect(client.asking.readResource({ uri })).rejects.toMatchObject({
        code: -32603,
        message: expect.stringContaining(code),
        data: { code, suggestion: expect.any(String) },
      });
    }
    expect(await read(client, one(CT.locked))).toMatchObject({ name: 'locked' });
  });
});

test('are logged as the corresponding call, also when refused', async () => {
  const audit = path.join(dir, 'audit');
  await rm(audit, { recursive: true, force: true });
  await withServer({}, async (client) => {
    await read(client, ALL);
    await expect(client.asking.readResource({ uri: one(CT.unknown) })).rejects.toThrow();
  });
  const files = await readdir(audit, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    files
      .filter((each) => each.isFile())
      .map((each) => readFile(path.join(each.parentPath, each.name), 'utf8')),
  );
  const text = texts.join('');
  expect(text).toMatch(/"type":"begin".*"tool":"proxmox_list_containers"/);
  expect(text).toMatch(/"type":"end".*"tool":"proxmox_container_status","code":"CONTAINER_NOT_FOUND"/);
});

test('are available under READ_ONLY, with secrets redacted', async () => {
  const secret = 'hunter2-hunter2-hunter2';
  const config = `hostname: ${secret}\nostype: debian\n`;
  const undo = await node.setConf(CT.stopped, config);
  try {
    await withServer({ READ_ONLY: 'true', SSH_KEY_PASSPHRASE: secret }, async (client) => {
      for (const uri of [ALL, one(CT.stopped)]) {
        expect(JSON.stringify(await read(client, uri))).not.toContain(secret);
      }
    });
  } finally {
    await undo();
  }
});
