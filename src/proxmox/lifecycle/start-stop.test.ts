import { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RemoteShell } from '../../remote/shell.ts';
import type { ChannelEnd, RemoteChannel } from '../../ssh/ssh-types.ts';
import { startContainer, stopContainer } from './start-stop.ts';

/** What the node says to one command; null: the connection is lost before it answers. */
type Answer = { readonly stdout?: string; readonly stderr?: string; readonly code?: number } | null;

function channelWith(answer: Answer): RemoteChannel {
  const end: ChannelEnd = {
    code: answer === null ? null : (answer.code ?? 0),
    signal: null,
    reason: answer === null ? 'disconnected' : 'closed',
  };
  const stdout = Readable.from(answer?.stdout === undefined ? [] : [Buffer.from(answer.stdout)]);
  const stderr = Readable.from(answer?.stderr === undefined ? [] : [Buffer.from(answer.stderr)]);
  const read = Promise.all([stdout, stderr].map((stream) => new Promise((done) => stream.once('end', done))));
  const closed = read.then(() => end);
  const stdin = new Writable({ write: (_chunk, _encoding, done) => done() });
  return { stdin, stdout, stderr, exited: closed, closed, close: () => {} };
}

/** A node with one container, 101, whose commands are answered by `answer`. */
function nodeWith(running: boolean, answer: (command: string) => Answer): RemoteShell {
  const inventory = (nonce: string) =>
    [
      `${nonce} unix`,
      ...(running ? ['@/var/lib/lxc/101/command'] : []),
      `${nonce} pve`,
      '.members:{"nodename":"pve1"}',
      '.vmlist:{"ids":{"101":{"node":"pve1","type":"lxc"}}}',
      `${nonce} conf`,
      `${nonce} end`,
      '',
    ].join('\n');
  const open = async (command: string) => {
    const nonce = /'sh' '(\w+)' '\d*'$/.exec(command)?.[1];
    return channelWith(nonce === undefined ? answer(command) : { stdout: inventory(nonce) });
  };
  const logger = { debug: () => {}, warn: () => {} };
  return new RemoteShell({ open }, { sudo: false, logger });
}

const { signal } = new AbortController();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets the time fly until the work is done. */
async function hurry<T>(work: Promise<T>): Promise<T> {
  let over = false;
  const settled = () => {
    over = true;
  };
  work.then(settled, settled);
  while (!over) {
    await vi.advanceTimersByTimeAsync(100);
    await new Promise((done) => setImmediate(done));
  }
  return work;
}

test('success of pct is not believed when the container does not run', async () => {
  const node = nodeWith(false, (command) => (command.includes("'grep'") ? { stdout: '0\n', code: 1 } : {}));
  await expect(hurry(startContainer(node, 101, signal))).rejects.toMatchObject({
    code: 'PCT_FAILED',
    message: 'Proxmox reported success, but container 101 does not run.',
  });
});

test('a look at the running state that is not answered does not mean that the container is down', async () => {
  const seen: string[] = [];
  const node = nodeWith(true, (command) => {
    seen.push(command);
    if (command.includes("'grep'")) return null;
    return command.includes("'shutdown'") ? { code: 255, stderr: 'container did not stop\n' } : {};
  });
  const stopping = stopContainer(node, 101, { timeoutS: 1, force: false, signal });
  await expect(hurry(stopping)).rejects.toMatchObject({
    code: 'PCT_FAILED',
  });
  expect(seen.some((command) => command.includes("'lxc-stop'"))).toBe(true);
});
