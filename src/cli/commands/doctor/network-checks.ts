import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { unreachable, WEB_PORT } from '../../../ssh/connect-errors.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import type { Finding } from './check.ts';

const CONNECT_MS = 8000;
/** sshd sends its banner at once, unless it waits for a reverse DNS lookup of this machine. */
const BANNER_MS = 6000;

/** Checks that the name of the first server (jump host or target) resolves. */
export async function checkName(target: SshTarget, signal: AbortSignal): Promise<Finding<true>> {
  const first = target.jumps[0] ?? target;
  const viaJump = target.jumps.length === 0 ? '' : `; the jump host resolves ${target.host}`;
  if (isIP(first.host) !== 0) {
    return { verdict: 'ok', detail: `${first.host} is an IP address${viaJump}`, ms: 0, value: true };
  }
  try {
    const addresses = await unlessAborted(lookup(first.host, { all: true }), signal);
    const list = addresses.map(({ address }) => address).join(', ');
    return { verdict: 'ok', detail: `${first.host} resolves to ${list}${viaJump}`, value: true };
  } catch (error) {
    throw unreachable(first, error, 0);
  }
}

/** Checks that an SSH server listens on the port of the first server (jump host or target). */
export async function checkPort(target: SshTarget, signal: AbortSignal): Promise<Finding<true>> {
  const first = target.jumps[0] ?? target;
  const startedAt = performance.now();
  const { greeting, ms } = await readBanner(first, startedAt, signal).catch((error: unknown) => {
    throw unreachable(first, error, CONNECT_MS);
  });
  const where = `${first.host} port ${first.port}`;
  const banner = /^SSH-[\d.]+-([^\r\n]*)/m.exec(greeting)?.[1];
  if (banner !== undefined) return { verdict: 'ok', detail: `${where} answers: ${banner}`, ms, value: true };
  const problem =
    greeting === ''
      ? 'the port is open, but nothing identified itself as an SSH server'
      : `the port is open, but it is not an SSH server (${JSON.stringify(greeting.slice(0, 40))})`;
  const hint = first.port === WEB_PORT ? `${WEB_PORT} is the web interface of Proxmox VE; ` : '';
  return {
    verdict: 'fail',
    code: 'SSH_UNREACHABLE',
    detail: `${where}: ${problem}.`,
    remedy: `Check SSH_PORT: ${hint}the default port of SSH is 22. An sshd that is overloaded or bans this address (fail2ban) does not respond either.`,
  };
}

/** Connects and reads the banner. `ms` is the time to connect. */
function readBanner(
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
      timer = setTimeout(done, BANNER_MS);
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

/** Rejects when the signal aborts, because a DNS lookup cannot be cancelled. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('Cancelled')), { once: true });
    work.then(resolve, reject);
  });
}
