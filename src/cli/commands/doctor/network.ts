import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { unreachable } from '../../../ssh/connect-errors.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import type { Finding } from './check.ts';

const CONNECT_MS = 8000;
/** sshd greets first, at once; some wait for a name of ours that DNS does not know. */
const GREETING_MS = 6000;

/** Whether the name of the first server on the way is known here. */
export async function checkName(target: SshTarget, signal: AbortSignal): Promise<Finding<true>> {
  const first = target.jumps[0] ?? target;
  const asked =
    target.jumps.length === 0 ? '' : `; ${target.host} itself is looked up on the way, by the jump host`;
  if (isIP(first.host) !== 0) {
    return { verdict: 'ok', detail: `${first.host} is an address${asked}`, ms: 0, value: true };
  }
  try {
    const addresses = await unlessAborted(lookup(first.host, { all: true }), signal);
    const list = addresses.map(({ address }) => address).join(', ');
    return { verdict: 'ok', detail: `${first.host} is ${list}${asked}`, value: true };
  } catch (error) {
    throw unreachable(first, error, 0);
  }
}

/** Whether something that speaks SSH listens at the first server on the way. */
export async function checkPort(target: SshTarget, signal: AbortSignal): Promise<Finding<true>> {
  const first = target.jumps[0] ?? target;
  const startedAt = performance.now();
  const { greeting, ms } = await greet(first, startedAt, signal).catch((error: unknown) => {
    throw unreachable(first, error, CONNECT_MS);
  });
  const where = `${first.host} port ${first.port}`;
  const banner = /^SSH-[\d.]+-([^\r\n]*)/m.exec(greeting)?.[1];
  if (banner !== undefined) return { verdict: 'ok', detail: `${where} answers: ${banner}`, ms, value: true };
  const said =
    greeting === ''
      ? 'something listens, but does not greet as an SSH server does'
      : `what answers is no SSH server (${JSON.stringify(greeting.slice(0, 40))})`;
  const hint = first.port === 8006 ? '8006 is the web interface of Proxmox; ' : '';
  return {
    verdict: 'fail',
    code: 'SSH_UNREACHABLE',
    detail: `${where}: ${said}.`,
    remedy: `Check SSH_PORT: ${hint}SSH is on 22 unless somebody moved it. An sshd that is overloaded or bans this address (fail2ban) keeps silent, too.`,
  };
}

/** Connects and waits for the first words. `ms`: until connected. */
function greet(
  target: SshTarget,
  startedAt: number,
  signal: AbortSignal,
): Promise<{ greeting: string; ms: number }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, noDelay: true, signal });
    let greeting = '';
    let ms = 0;
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ greeting, ms });
    };
    let timer = setTimeout(() => socket.destroy(new Error('Timed out')), CONNECT_MS);
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      ms = Math.round(performance.now() - startedAt);
      clearTimeout(timer);
      timer = setTimeout(done, GREETING_MS);
    });
    socket.on('data', (chunk: string) => {
      greeting += chunk;
      if (/^SSH-[^\n]*\n/m.test(greeting) || greeting.length > 8192) done();
    });
    socket.on('end', done);
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** A look-up of a name can't be called back; so nobody waits for it any more. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('Cancelled')), { once: true });
    work.then(resolve, reject);
  });
}
