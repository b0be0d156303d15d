import { expect, test } from 'vitest';
import { validationCommand } from './validation-command.ts';

test('puts in a usual path as it is, also within quotes', () => {
  expect(validationCommand('a {} "{}" \'{}\' -c={}', '/etc/a_b/.x-1.part.conf')).toBe(
    `a /etc/a_b/.x-1.part.conf "/etc/a_b/.x-1.part.conf" '/etc/a_b/.x-1.part.conf' -c=/etc/a_b/.x-1.part.conf`,
  );
});

test('quotes any other path', () => {
  expect(validationCommand(`a -c={} "x" \\" {}`, "/it's $(x)")).toBe(
    `a -c='/it'\\''s $(x)' "x" \\" '/it'\\''s $(x)'`,
  );
});

test.each(['a "{}"', "a '{}'", 'a "x \\" {}"', 'a `b {}`', `a 'x' "y" '\\' "{}"`])(
  'refuses %s for a path that the shell would expand',
  (command) => {
    expect(() => validationCommand(command, '/$(reboot)/x')).toThrow('is in quotes');
  },
);
