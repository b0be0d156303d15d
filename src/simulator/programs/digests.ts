import { createHash } from 'node:crypto';
import { allLines, chunksOf, eachInput } from './input.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure, type Program } from './program.ts';

export async function base64(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'diw:', { long: { decode: 'd', wrap: 'w' } });
  const bytes = await call.readInput(options.rest[0] ?? '-');
  if (options.has('d')) {
    await call.write(Buffer.from(bytes.toString('latin1'), 'base64'));
    return 0;
  }
  const width = Number(options.value('w') ?? 76);
  const text = bytes.toString('base64');
  await call.print(width === 0 ? text : text.replaceAll(new RegExp(`.{1,${width}}`, 'g'), '$&\n'));
  return 0;
}

export function digest(algorithm: string): Program {
  return async (call) => {
    const options = parseOptions(call.args, 'bct', { long: { check: 'c', binary: 'b' } });
    if (options.has('c')) return check(call, algorithm, options.rest);
    return eachInput(call, options.rest, async (file, name) => {
      const hash = createHash(algorithm);
      for await (const chunk of chunksOf(call, file)) hash.update(chunk);
      await call.printBytes(`${hash.digest('hex')}  ${name}\n`);
    });
  };
}

async function check(call: Call, algorithm: string, names: readonly string[]): Promise<number> {
  const { lines } = await allLines(call, names);
  let code = 0;
  for (const line of lines) {
    const [, expected = '', name = ''] = /^([0-9a-f]+) [ *](.*)$/.exec(line) ?? [];
    const right =
      createHash(algorithm)
        .update(await call.sys.readFile(name))
        .digest('hex') === expected;
    await call.printBytes(`${name}: ${right ? 'OK' : 'FAILED'}\n`);
    if (!right) code = 1;
  }
  return code;
}

/** `openssl dgst -sha256 -r`. */
export async function openssl(call: Call): Promise<number> {
  const [command, ...rest] = call.args;
  const algorithm = rest.map((arg) => /^-(md5|sha1|sha256|sha512)$/.exec(arg)?.[1]).find(Boolean);
  if (command !== 'dgst' || algorithm === undefined)
    throw new Failure(`the simulator has no 'openssl ${command ?? ''}' but dgst`);
  const names = rest.filter((arg) => !arg.startsWith('-'));
  return eachInput(call, names, async (file, name) => {
    const hash = createHash(algorithm);
    for await (const chunk of chunksOf(call, file)) hash.update(chunk);
    const hex = hash.digest('hex');
    const label = name === '-' ? 'stdin' : name;
    await call.printBytes(
      rest.includes('-r') ? `${hex} *${label}\n` : `${algorithm.toUpperCase()}(${label})= ${hex}\n`,
    );
  });
}
