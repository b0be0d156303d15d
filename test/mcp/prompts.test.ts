import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { TOOLS } from '../../src/tools/index.ts';
import { ERAS, type TestClient } from './client.ts';
import { connectWithoutNode } from './fixtures.ts';

const listShape = z.object({
  prompts: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      description: z.string(),
      arguments: z
        .array(z.object({ name: z.string(), description: z.string(), required: z.boolean() }))
        .default([]),
    }),
  ),
});
const promptShape = z.object({
  description: z.string(),
  messages: z.tuple([
    z.object({ role: z.literal('user'), content: z.object({ type: z.literal('text'), text: z.string() }) }),
  ]),
});

const textOf = async (client: TestClient, name: string, args: Record<string, string> = {}) =>
  promptShape.parse(await client.asking.getPrompt({ name, arguments: args })).messages[0].content.text;

describe.each(ERAS)('prompts, %s', (era) => {
  test('are listed and returned with their arguments, without a node', async () => {
    const client = await connectWithoutNode(era);
    try {
      expect(client.asking.getServerCapabilities()).toMatchObject({ prompts: { listChanged: false } });
      const { prompts } = listShape.parse(await client.asking.listPrompts());
      expect(prompts.map(({ name }) => name)).toEqual(['check-container', 'find-disk-use', 'review-changes']);
      for (const prompt of prompts) {
        const args = Object.fromEntries(prompt.arguments.map(({ name }) => [name, '4711']));
        const text = await textOf(client, prompt.name, args);
        if (prompt.arguments.length > 0) expect(text).toContain('container 4711');
        const named = text.match(/proxmox_\w+/g) ?? [];
        expect(named.length).toBeGreaterThan(0);
        for (const name of named) expect(TOOLS.map((tool) => tool.name)).toContain(name);
      }
    } finally {
      await client.close();
    }
  });

  test('reject invalid arguments with the reason', async () => {
    const client = await connectWithoutNode(era);
    try {
      for (const [name, args, told] of [
        ['check-container', {}, '`vmid` is required'],
        ['check-container', { vmid: '99' }, '`vmid` must be an integer from 100 to 999999999'],
        ['check-container', { vmid: '0x65' }, '`vmid` must be an integer'],
        ['check-container', { vmid: '101; reboot' }, '`vmid` must be an integer'],
        ['check-container', { vmid: '101', vmdi: '102' }, '`vmdi` is not an argument'],
        ['review-changes', { vmid: '101' }, '`vmid` is not an argument'],
        ['check-containers', {}, 'did you mean check-container?'],
      ] as const) {
        await expect(client.asking.getPrompt({ name, arguments: args })).rejects.toMatchObject({
          code: -32602,
          message: expect.stringContaining(told),
        });
      }
    } finally {
      await client.close();
    }
  });
});
