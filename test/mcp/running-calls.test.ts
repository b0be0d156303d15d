import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TOOLS } from '../../src/tools/index.ts';
import { ERAS, type Progress, type TestClient } from './client.ts';
import { connectWithoutNode, type SilentNode, silentNode } from './fixtures.ts';

let node: SilentNode;
let client: TestClient | undefined;

beforeEach(async () => {
  node = await silentNode();
});

afterEach(async () => {
  node.close();
  await client?.close();
  client = undefined;
});

describe.each(ERAS)('a long call, %s client', (era) => {
  test('reports progress, and is cancelled by the client', async () => {
    const connected = await connectWithoutNode(era, { SSH_PORT: String(node.port) });
    client = connected;
    const notes: Progress[] = [];
    const abort = new AbortController();
    const call = connected.callTool(
      'proxmox_list_containers',
      {},
      {
        signal: abort.signal,
        onProgress: (note) => {
          notes.push(note);
          if (notes.length === 3) abort.abort('the user has seen enough');
        },
      },
    );
    await expect(call).rejects.toThrow(/enough/);
    expect(notes).toHaveLength(3);
    notes.reduce((before, note) => {
      expect(note.progress).toBeGreaterThan(before.progress);
      return note;
    });
    expect(notes[0]?.message).toMatch(/^running for 1 s/);
    await expect.poll(() => connected.stderr()).toMatch(/CANCELLED/);
    // The server still answers the next call.
    expect(await connected.listTools()).toHaveLength(TOOLS.length);
  });
});
