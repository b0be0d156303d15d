import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { headersOf, legacy, modern, openSession } from './requests.ts';
import { HttpServer } from './server.ts';

/** In this server process, the SDK sends its comments every 50 ms instead of every 15 s. */
const HASTE = `data:text/javascript,${encodeURIComponent(`
  const { setInterval: real } = globalThis;
  globalThis.setInterval = (tick, ms, ...more) => real(tick, ms === 15_000 ? 50 : ms, ...more);
`)}`;
const COMMENT = /^: ?keep-?alive$/gm;

/** The text of a response so far, and whether it has ended. */
function heard({ body }: Response) {
  const said = { text: '', over: false, comments: () => said.text.match(COMMENT)?.length ?? 0 };
  void (async () => {
    if (body !== null) {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) said.text += chunk;
    }
    said.over = true;
  })().catch(() => {});
  return said;
}

describe('keep-alive comments', () => {
  const node = new SimulatedNode();
  beforeAll(() => node.start());
  afterAll(() => node.stop());

  test.each(['2025', '2026-07-28'])('are sent during a call of %s, and not after its result', async (era) => {
    const server = await HttpServer.start({
      env: { ...node.settings(), NODE_OPTIONS: `--import=${HASTE}` },
    });
    try {
      const file = `/tmp/awake-${era}`;
      const params = {
        name: 'proxmox_container_exec_command',
        arguments: {
          vmid: CT.debian,
          command: `until [ -e ${file} ]; do sleep 0.1; done; echo woken`,
        },
      };
      const request =
        era === '2025'
          ? legacy(
              { id: 1, method: 'tools/call', params },
              { 'Mcp-Session-Id': (await openSession(server.url)).id },
            )
          : modern('tools/call', params);
      const said = heard(await fetch(server.url, request));
      await until(() => said.comments() >= 3);
      expect(said.text).not.toContain('data:');
      await node.writeInContainer(CT.debian, file, '');
      await until(() => said.over);
      expect(said.text).toContain('woken');
      expect(said.text.slice(said.text.indexOf('woken'))).not.toMatch(COMMENT);
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  test('are sent on the stream of a session', async () => {
    const server = await HttpServer.start({ env: { ...node.settings(), NODE_OPTIONS: `--import=${HASTE}` } });
    try {
      const { id } = await openSession(server.url);
      const controller = new AbortController();
      const { signal } = controller;
      const said = heard(await fetch(server.url, { headers: headersOf({ 'Mcp-Session-Id': id }), signal }));
      await until(() => said.comments() >= 3);
      controller.abort();
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });
});
