import { chmod, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openPolicy } from './open-policy.ts';
import { InvalidPolicy } from './policy-file.ts';
import type { Policy, ToolTraits } from './policy-types.ts';

const tool: ToolTraits = {
  tool: 'proxmox_start_container',
  target: 'container',
  effect: 'write',
  canOverwrite: false,
  canForce: false,
  canExpectName: true,
};

let dir = '';
let file = '';
let policy: Policy | undefined;
const errors: string[] = [];
const logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (_fields: object | string, message?: string) => void errors.push(message ?? ''),
};

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-policy-'));
  file = path.join(dir, 'policy.yaml');
  errors.length = 0;
});
afterEach(async () => {
  policy?.close();
  vi.restoreAllMocks();
  await rm(dir, { recursive: true, force: true });
});

async function opened(text: string): Promise<Policy> {
  await writeFile(file, text);
  policy = await openPolicy({ policyFile: file, protectedTag: 'protected' }, async () => [tool.tool], logger);
  return policy;
}

const outcome = (from: Policy) => from.always(tool, 'local')?.outcome;

/** The outcome for a new call. */
async function decided(from: Policy): Promise<string> {
  const call = { vmid: 101, command: null, overwrite: false, force: false, expectName: null };
  const subject = { ...tool, ...call, caller: 'local', at: new Date() };
  return (await from.decide(subject, async () => undefined)).outcome;
}

/** As editors do: writes a new file next to the old one, then renames it. */
async function replace(text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

describe('a changed file', () => {
  test.each<[string, (text: string) => Promise<void>]>([
    ['written again', (text) => writeFile(file, text)],
    ['replaced', replace],
    [
      'deleted and created again',
      async (text) => {
        await unlink(file);
        await writeFile(file, text);
      },
    ],
  ])('is noticed without a call and reported: %s', async (_how, change) => {
    const policy = await opened('default: allow');
    let told = 0;
    policy.onChange(() => {
      told += 1;
    });
    await change('default: deny');
    await expect.poll(() => outcome(policy)).toBe('deny');
    expect(told).toBe(1);
    // The directory is watched: the watch survives the replacement of the file.
    await change('default: confirm');
    await expect.poll(() => outcome(policy)).toBe('confirm');
    expect(errors).toEqual([]);
  });

  test('is read through a symlink that was switched, as in container configuration', async () => {
    const [one, two] = [path.join(dir, 'one.yaml'), path.join(dir, 'two.yaml')];
    await writeFile(one, 'default: allow');
    await writeFile(two, 'default: deny');
    await symlink(one, file);
    policy = await openPolicy({ policyFile: file, protectedTag: 'protected' }, async () => [], logger);
    await symlink(two, `${file}.new`);
    await rename(`${file}.new`, file);
    expect(await decided(policy)).toBe('deny');
  });

  test('applies to the next call, even without a file event', async () => {
    const policy = await opened('default: allow');
    // A closed policy receives no events, as on file systems that send none.
    policy.close();
    await replace('default: deny');
    expect(await decided(policy)).toBe('deny');
    await writeFile(file, 'default: allow');
    await policy.refresh();
    expect(outcome(policy)).toBe('allow');
  });

  test('is awaited while it is being written', async () => {
    const policy = await opened('default: allow\nrules: [{rule: a, outcome: deny}]');
    policy.close();
    await writeFile(file, 'default: allow\n');
    const asked = decided(policy);
    await writeFile(file, 'default: allow\nrules: [{rule: b, outcome: confirm}]');
    expect(await asked).toBe('confirm');
  });
});

describe('an invalid file keeps the previous rules', () => {
  test.each<[string, () => Promise<void>, RegExp]>([
    ['not YAML', () => replace('default: [deny'), /policy\.yaml:1:\d+: /],
    [
      'not a policy',
      () => replace('default: perhaps'),
      /policy\.yaml:1:10: `default` must be allow, confirm or deny/,
    ],
    ['empty', () => replace(''), /the file is empty/],
    ['not text', () => writeFile(file, Buffer.from([0xff, 0xfe, 0x00])), /not UTF-8/],
    ['gone', () => unlink(file), /does not exist/],
  ])('reports the error once and recovers: %s', async (_what, spoil, message) => {
    const policy = await opened('default: confirm');
    await spoil();
    await expect.poll(() => errors).not.toEqual([]);
    expect(await decided(policy)).toBe('confirm');
    expect(await decided(policy)).toBe('confirm');
    expect(errors).toEqual([expect.stringMatching(message)]);
    expect(errors[0]).toContain('The previous rules stay in force.');
    await replace('default: deny');
    expect(await decided(policy)).toBe('deny');
  });

  test('reports the errors again on reload', async () => {
    const policy = await opened('default: confirm');
    await replace('default: perhaps');
    await policy.reload();
    const before = errors.length;
    await policy.reload();
    expect(errors.length).toBe(before + 1);
    expect(outcome(policy)).toBe('confirm');
  });
});

describe('at the start', () => {
  test('refuses an invalid file with all of its errors', async () => {
    const error = await opened('extends: opne\ndefault: maybe').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidPolicy);
    expect(error).toMatchObject({ code: 'POLICY_INVALID', errors: [{ line: 1 }, { line: 2 }] });
  });

  test('refuses a file that is missing or not readable', async () => {
    const open = () => openPolicy({ policyFile: file, protectedTag: 'protected' }, async () => [], logger);
    await expect(open()).rejects.toThrow(/does not exist/);
    await writeFile(file, 'default: allow');
    await chmod(file, 0);
    // root reads everything.
    if (process.getuid?.() !== 0 && process.platform !== 'win32')
      await expect(open()).rejects.toThrow(/no permission to read/);
  });
});
