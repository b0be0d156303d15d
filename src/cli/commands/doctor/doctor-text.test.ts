import { expect, test } from 'vitest';
import { styleFor } from '../../output/output.ts';
import { summaryText } from './doctor-text.ts';

test('ends with the complete remedy of the first failure, and does not wrap its commands', () => {
  const command = `echo 'ops ALL=(root) NOPASSWD: /bin/sh' > /etc/sudoers.d/proxmox-mcp`;
  const checks = [
    {
      id: 'rights',
      title: 'Privileges',
      verdict: 'fail',
      detail: 'refused',
      remedy: `Allow it:\n${command}`,
    },
  ] as const;
  const text = summaryText(checks, styleFor(false), 40);
  expect(text).toBe(`\n✗ Privileges failed. Next: Allow it:\n${command}\n`);
});
