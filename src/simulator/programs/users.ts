import { fromBytes, toBytes } from '../kernel/bytes.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure } from './program.ts';

/** A user's only group has the same number as the user. */
export async function id(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'ugGnr');
  const { machine, process } = call;
  const [named] = options.rest;
  const uid = named === undefined ? process.uid : uidOf(call, named);
  const name = machine.userName(uid);
  const text = !['u', 'g', 'G'].some((letter) => options.has(letter))
    ? `uid=${uid}(${name}) gid=${uid}(${name}) groups=${uid}(${name})`
    : options.has('n')
      ? name
      : String(uid);
  await call.print(`${text}\n`);
  return 0;
}

function uidOf(call: Call, name: string): number {
  const { files } = call.machine;
  const lines = files.exists('/etc/passwd') ? files.readText('/etc/passwd').split('\n') : [];
  const line = lines.find((each) => each.startsWith(`${fromBytes(name)}:`));
  if (line === undefined) throw new Failure(`'${fromBytes(name)}': no such user`);
  return Number(line.split(':')[2]);
}

export async function getent(call: Call): Promise<number> {
  const [database = '', ...keys] = call.args;
  const text = call.machine.files.exists(`/etc/${database}`)
    ? call.machine.files.readText(`/etc/${database}`)
    : '';
  const lines = text
    .split('\n')
    .filter(
      (line) =>
        line !== '' &&
        (keys.length === 0 || keys.some((key) => line.split(':')[0] === key || line.split(':')[2] === key)),
    );
  for (const line of lines) await call.printBytes(`${toBytes(line)}\n`);
  return lines.length > 0 ? 0 : 2;
}
