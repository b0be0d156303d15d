import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { afterIo, firstOf } from './waits.ts';

const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.destroy();
});

/** Both ends of a connection. */
async function connection(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const accepted = once(server, 'connection');
  const one = connect(address.port, '127.0.0.1');
  const [other]: Socket[] = await accepted;
  if (other === undefined) throw new Error('no connection');
  open.push(one, other, { destroy: () => server.close() });
  return [one, other];
}

/** As if the process had been stopped: its timers are due, and what has arrived waits in the socket. */
function pause(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a wait takes what has arrived during a pause of the process', async () => {
  const [one, other] = await connection();
  const answer = once(other, 'data').then(() => 'answer');
  const first = firstOf(answer, 20, undefined);
  const closed = Promise.race([answer, afterIo(20).then(() => 'timeout')]);
  one.write('x');
  // The write reaches the socket of the other end.
  await new Promise((resolve) => process.nextTick(resolve));
  pause(60);
  expect(await first).toBe('answer');
  expect(await closed).toBe('answer');
});

test('a wait ends at its timeout if nothing arrives', async () => {
  expect(await firstOf(new Promise(() => {}), 5, undefined)).toBe('timeout');
});
