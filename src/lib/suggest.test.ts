import { describe, expect, test } from 'vitest';
import { nearest } from './suggest.ts';

const names = ['vmid', 'container_path', 'local_path', 'overwrite'];

describe('nearest', () => {
  test.each([
    ['vm_id', 'vmid'],
    ['VMID', 'vmid'],
    ['containerPath', 'container_path'],
    ['overwrit', 'overwrite'],
    ['path', 'container_path'],
    ['vimd', 'vmid'],
    ['ovrewrtie', 'overwrite'],
  ])('suggests for %s: %s', (word, expected) => {
    expect(nearest(word, names)).toBe(expected);
  });

  test.each([
    ['stat', 'status'],
    ['doc', 'doctor'],
    ['sto', 'stop'],
    ['st', undefined],
    ['sta', undefined],
  ])('suggests for the abbreviation %s: %s', (word, expected) => {
    expect(nearest(word, ['list', 'start', 'stop', 'status', 'doctor'])).toBe(expected);
  });

  test.each(['frobnicate', 'x', '', '__proto__'])('suggests nothing for %j', (word) => {
    expect(nearest(word, names)).toBeUndefined();
  });

  test('compares a very long word in bounded time', () => {
    expect(nearest('v'.repeat(1_000_000), names)).toBeUndefined();
  });
});
