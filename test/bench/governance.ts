import { randomBytes } from 'node:crypto';
import { createRedactor } from '../../src/governance/redaction/redact.ts';
import type { Redactor } from '../../src/lib/redactor.ts';
import { OutputBuffer } from '../../src/proxmox/exec/output-buffer.ts';
import { CT } from '../rig/rig.ts';
import { type Bench, callTool } from './bench.ts';
import { atMost, median, type Row, takeTurns, timed } from './measure.ts';

const CALLS = 2000;
const ROUNDS = 7;
const CHUNK = 32_768;
const SIZE = 100_000_000;
const LIMIT = 25_000;

/** A typical log line: no secret, but some text that redaction rules must examine. */
const LINE =
  'Nov 22 10:00:00 host sshd[1]: Accepted password for root from 192.0.2.4 port 4711 ssh2: key SHA256:abcdef\n';

const withSecrets = (): Redactor =>
  createRedactor({
    secrets: () =>
      ['SSH_PASSWORD', 'STATE_KEY', 'HTTP_TOKEN'].map((kind) => ({
        kind,
        value: randomBytes(24).toString('base64'),
      })),
  });

/** Redacts nothing: the cost of output without redaction. */
const NONE: Pick<Redactor, 'parts' | 'overlap'> = {
  parts: async (text) => [{ shown: text, original: text, what: 'plain' }],
  overlap: 0,
};

/** The cost of redaction for a call and for large output, within the server process and without the network. */
export async function redaction(): Promise<Row[]> {
  const redactor = withSecrets();
  const full = LINE.repeat(Math.floor(LIMIT / LINE.length));
  const perCall = async (text: string) => {
    const data = { stdout: text, stderr: '', exit_code: 0 };
    const times: number[] = [];
    for (let call = 0; call < CALLS; call++) {
      times.push(
        await timed(async () => {
          await redactor.parts(text);
          await redactor.clean(data);
          redactor.own('tool call');
        }),
      );
    }
    return median(times);
  };
  const short = await perCall(LINE);
  const long = await perCall(full);
  const flood = (cleaner: Pick<Redactor, 'parts' | 'overlap'>) => () =>
    timed(async () => {
      const capture = new OutputBuffer(LIMIT, cleaner);
      const chunk = Buffer.from(LINE.repeat(Math.ceil(CHUNK / LINE.length)));
      for (let bytes = 0; bytes < SIZE; bytes += chunk.length) capture.push(chunk);
      (await capture.read()).present(LIMIT);
    });
  const [ours, floor] = await takeTurns(ROUNDS, [flood(redactor), flood(NONE)]);
  return [
    { measure: 'redaction of a call with a line', unit: 'ms', ours: short, floor: null, limit: atMost(1) },
    { measure: 'redaction of a call with 25 kB', unit: 'ms', ours: long, floor: null, limit: atMost(1) },
    {
      measure: 'redaction of 100 MB, of which head and tail are kept',
      unit: 'ms',
      ours: Math.max(0, ours - floor),
      floor: null,
      limit: atMost(5),
    },
  ];
}

/** Policy, audit log and redaction together as a client sees them: the full configuration compared with the minimal one. */
export async function governance(bench: Bench): Promise<Row[]> {
  const all = await bench.server({ SSH_PASSWORD: 'not the password of the rig', POLICY: 'standard' });
  const least = await bench.server({ AUDIT: 'false', REDACT_FORMS: 'false', POLICY: 'open' });
  const call = (server: typeof all, command: string) => () =>
    timed(() => callTool(server, 'container_exec_command', { vmid: CT.debian, command, timeout: 60 }));
  const flood = `yes '${LINE.trim()}' | head -c ${SIZE}`;
  await Promise.all([call(all, 'true')(), call(least, 'true')()]);
  const [ours, floor] = await takeTurns(101, [call(all, 'true'), call(least, 'true')]);
  const [oursFlood, floorFlood] = await takeTurns(ROUNDS, [call(all, flood), call(least, flood)]);
  return [
    {
      measure: 'policy, audit log and redaction of a call',
      unit: 'ms',
      ours: Math.max(0, ours - floor),
      floor: null,
      limit: atMost(2.5),
    },
    {
      measure: 'the same with 100 MB of output',
      unit: 'ms',
      ours: oursFlood,
      floor: floorFlood,
      limit: atMost(1.1),
    },
    ...(await redaction()),
  ];
}
