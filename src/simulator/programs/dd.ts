import { FileError } from '../files/inode.ts';
import { fromBytes } from '../kernel/bytes.ts';
import type { OpenFile } from '../kernel/open-file.ts';
import { parseBytes } from './options.ts';
import { type Call, Failure } from './program.ts';

/** dd with if, of, bs, count, skip, conv=notrunc, status=none, iflag=fullblock,count_bytes,skip_bytes. */
export async function dd(call: Call): Promise<number> {
  const operands = new Map(
    call.args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]),
  );
  const number = (name: string, otherwise: number): number => {
    const text = operands.get(name);
    const value = text === undefined ? otherwise : parseBytes(text);
    if (value === undefined) throw new Failure(`invalid number: '${fromBytes(text ?? '')}'`);
    return value;
  };
  const flags = (operands.get('iflag') ?? '').split(',');
  const size = number('bs', 512);
  const skip = number('skip', 0) * (flags.includes('skip_bytes') ? 1 : size);
  const count = number('count', Number.POSITIVE_INFINITY);
  const limit = count * (flags.includes('count_bytes') ? 1 : size);
  const whole = flags.includes('fullblock');
  const [input, output] = [operands.get('if'), operands.get('of')];
  const from = (
    input === undefined ? call.process.fds.get(0) : await call.sys.open(input, { reads: true })
  ).retain();
  const keep = operands.get('conv')?.includes('notrunc') === true;
  const to = (
    output === undefined
      ? call.process.fds.get(1)
      : await call.sys.open(output, { writes: true, create: true, truncate: !keep })
  ).retain();
  let [full, partial, bytes] = [0, 0, 0];
  let problem: FileError | undefined;
  try {
    for (let left = skip; left > 0; ) {
      const chunk = await from.read(call.process, Math.min(left, 65_536));
      if (chunk.length === 0) break;
      left -= chunk.length;
    }
    // A short read counts as a block, also where the limit is in bytes.
    const blocks = flags.includes('count_bytes') ? Math.ceil(count / size) : count;
    while (bytes < limit && (whole || full + partial < blocks)) {
      const block = await readBlock(call, from, Math.min(size, limit - bytes), whole);
      if (block.length === 0) break;
      await to.write(call.process, block);
      bytes += block.length;
      if (block.length === size) full += 1;
      else partial += 1;
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    problem = error;
  } finally {
    from.release();
    to.release();
  }
  if (problem)
    await call.warn(`dd: error writing '${fromBytes(output ?? 'standard output')}': ${problem.text}\n`);
  if (operands.get('status') !== 'none') {
    const records = `${full}+${partial} records`;
    await call.warn(`${records} in\n${records} out\n${bytes} bytes copied\n`);
  }
  return problem ? 1 : 0;
}

/** One read, or as many as fill the block. */
async function readBlock(call: Call, file: OpenFile, size: number, whole: boolean): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  do {
    const chunk = await file.read(call.process, size - length);
    if (chunk.length === 0) break;
    chunks.push(chunk);
    length += chunk.length;
  } while (whole && length < size);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}
