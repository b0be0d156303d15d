import { expect, test } from 'vitest';
import { noShell } from './session-errors.ts';

const ended = (stderr: string) =>
  noShell({ ended: 'exited', code: 1, onTerminal: false, stdout: '', stderr }, true);

test.each([
  'sudo: a password is required\n',
  'sudo: sorry, you must have a tty to run sudo\n',
  'sudo: unable to resolve host pve: Name or service not known\nsudo: a password is required\n',
  'operator is not in the sudoers file.\n',
  "Sorry, user operator is not allowed to execute '/bin/sh' as root on pve1.\n",
  'bash: line 1: exec: sudo: not found\n',
  'sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set\n',
  // sudo-rs, before and after the change of its prefix
  'sudo-rs: interactive authentication is required\n',
  'sudo: interactive authentication is required\n',
  "sudo: I'm sorry operator. I'm afraid I can't do that\n",
  "sudo-rs: I'm sorry operator. I'm afraid I can't do that\n",
  'sudo: Account validation failure, is your account locked?\n',
])('recognizes a refusal of sudo: %j', (stderr) => {
  expect(ended(stderr)).toMatchObject({
    code: 'PERMISSION_DENIED',
    message: expect.stringContaining('sudo'),
  });
});

test('does not take a warning of sudo for a refusal', () => {
  expect(ended('sudo: unable to resolve host pve: Name or service not known\n').code).toBe('SSH_NO_SESSION');
});

test('states the reason of a refusal, and what to do about requiretty', () => {
  const warning = 'sudo: unable to resolve host pve: Name or service not known\n';
  const refused = ended(`${warning}sudo: sorry, you must have a tty to run sudo\n`);
  expect(refused.message).toContain('(sudo: sorry, you must have a tty to run sudo)');
  expect(JSON.stringify(refused)).toContain('requiretty');
  expect(ended(`${warning}sudo: a password is required\n`).message).toContain(
    '(sudo: a password is required)',
  );
});

test.each([
  'sudo: unable to mkdir /var/log/sudo-io: Read-only file system\n',
  'sudo: unable to resolve host pve: Name or service not known\nsudo: unable to change directory to /x: No such file or directory\n',
])('names another failure of sudo: %j', (stderr) => {
  expect(ended(stderr)).toMatchObject({
    code: 'PERMISSION_DENIED',
    message: expect.stringMatching(/could not run \/bin\/sh \(sudo: unable to (mkdir|change)/),
    hint: expect.stringContaining('sudoers'),
  });
});
