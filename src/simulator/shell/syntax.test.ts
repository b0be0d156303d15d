import { describe, expect, test } from 'vitest';
import { ScriptHost } from '../script-host.ts';

const host = new ScriptHost();

describe('rejects unsupported syntax with its position', () => {
  test.each([
    ['echo a\nif [[ a = b ]]; then :; fi', "line 2, column 4: the simulator's shell does not support [[ ]]"],
    ['echo b; list=(1 2)', "line 1, column 9: the simulator's shell does not support arrays"],
    ['cat <(echo c)', "line 1, column 5: the simulator's shell does not support process substitution <( )"],
    ['cat <<<word', "line 1, column 5: the simulator's shell does not support here-strings <<<"],
    [`echo \${HOME/r/x}`, `line 1, column 6: the simulator's shell does not support \${HOME/...}`],
  ])('%s', async (script, message) => {
    for (const shell of ['sh', 'bash']) {
      const { code, stderr } = await host.run([shell, '-c', script]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
  });

  test.each([
    ['echo {a,b}', 'brace expansion'],
    ["echo $'x'", "$'"],
    ['echo a &>/dev/null', '&>'],
    ['function f { :; }', 'function'],
    ['for ((i = 0; i < 3; i++)); do :; done', 'for (( ))'],
  ])('in bash: %s', async (script, what) => {
    const { code, stderr } = await host.run(['bash', '-c', script]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`does not support ${what}`)]);
  });

  test('after the preceding lines were run, as in dash', async () => {
    expect(await host.run(['sh', '-c', 'echo before\necho "unclosed'])).toMatchObject({
      code: 2,
      stdout: 'before\n',
      stderr: 'sh: 2: Syntax error: Unterminated quoted string\n',
    });
  });
});

describe('a script on stdin', () => {
  test('runs line by line as it arrives, compound commands when complete', async () => {
    const shell = host.start(['sh']);
    shell.write('echo one; readlink /proc/$$/exe\n');
    await expect.poll(() => shell.stdout.toString()).toBe('one\n/usr/bin/dash\n');
    shell.write('{ echo two\n');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(shell.stdout.toString()).not.toContain('two');
    shell.write('cat <<E\nthree\nE\nexec sh -c "exit 7" </dev/null\n}\n');
    expect(await shell.exited).toBe(7);
    expect(shell.stdout.toString()).toBe('one\n/usr/bin/dash\ntwo\nthree\n');
  });

  test('runs nothing of an incomplete last command', async () => {
    const shell = host.start(['sh']);
    shell.write('{ echo never\n');
    shell.end();
    expect(await shell.exited).toBe(2);
    expect(shell.stdout.toString()).toBe('');
    expect(shell.stderr.toString()).toContain('end of file unexpected (expecting "}")');
  });

  test('waits for the rest of a script, wherever its first block ends', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: for the shell
    const script = 'x=ab; echo "${x:+1}${x##a}${#x}${y:-$((1+1))}" $(echo 3) <<E\n${x}\nE\n';
    for (let cut = 1; cut < script.length; cut += 1) {
      const shell = host.start(['sh']);
      shell.write(script.slice(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 5));
      shell.write(script.slice(cut));
      shell.end();
      expect([cut, await shell.exited, shell.stderr.toString(), shell.stdout.toString()]).toEqual([
        cut,
        0,
        '',
        '1b22 3\n',
      ]);
    }
  });

  test('parses a script that begins like an earlier one, but differs in a later line or ends earlier', async () => {
    const group = (last: string) => `{\necho a\n${last}\n}\necho end $LINENO\n`;
    const input = async (text: string) => {
      const shell = host.start(['sh']);
      shell.write(text);
      shell.end();
      return [await shell.exited, shell.stdout.toString()];
    };
    for (const word of ['b', 'c', 'b'])
      expect(await input(group(`echo ${word}`))).toEqual([0, `a\n${word}\nend 5\n`]);
    expect(await input(`\n${group('echo b')}`)).toEqual([0, 'a\nb\nend 6\n']);
    expect(await input('{\necho a\n')).toEqual([2, '']);
    // dash accepts the end of the input as the end of a here-document.
    expect(await input('cat <<E\n1\n')).toEqual([0, '1\n']);
    expect(await input('cat <<E\n1\n2\nE\necho $LINENO\n')).toEqual([0, '1\n2\n5\n']);
    expect(await input('cat <<E\n1\n')).toEqual([0, '1\n']);
  });

  test('leaves the remaining input to the command that reads it', async () => {
    const shell = host.start(['sh']);
    shell.write('echo ready; head -c 5; echo; cat >/tmp/rest\n');
    await expect.poll(() => shell.stdout.toString()).toBe('ready\n');
    shell.write('hello world');
    shell.end();
    expect(await shell.exited).toBe(0);
    expect(shell.stdout.toString()).toBe('ready\nhello\n');
    expect(host.files.readText('/tmp/rest')).toBe(' world');
  });
});
