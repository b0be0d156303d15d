import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AppError, ERROR_CODES, nextStep } from './errors.ts';

test('docs/troubleshooting.md explains every error code, and no other', () => {
  const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');
  const cells = page.split('\n').flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? []);
  const explained = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, code]) => code));
  expect(explained.sort()).toEqual([...ERROR_CODES].sort());
});

test('derives the hint for a person from a single hint', () => {
  const error = new AppError(
    'CONTAINER_NOT_FOUND',
    'Container 999 does not exist.',
    'Call proxmox_list_containers.',
  );
  expect(nextStep(error, 'model')).toBe('Call proxmox_list_containers.');
  expect(nextStep(error, 'person')).toBe('Run `proxmox-mcp list`.');
});

test('tells a model that the user has to correct a login', () => {
  const error = new AppError('SSH_UNREACHABLE', 'Cannot connect.', 'Try "ssh root@192.0.2.1".');
  expect(nextStep(error, 'model')).toBe('Tell the user, who can correct this: Try "ssh root@192.0.2.1".');
  expect(nextStep(error, 'person')).toBe('Try "ssh root@192.0.2.1".');
});

test('returns separate hints for model and person unchanged', () => {
  const error = new AppError('READ_ONLY', 'Refused.', {
    model: 'Call proxmox_x.',
    person: 'Unset READ_ONLY.',
  });
  expect(nextStep(error, 'model')).toBe('Call proxmox_x.');
  expect(nextStep(error, 'person')).toBe('Unset READ_ONLY.');
});
