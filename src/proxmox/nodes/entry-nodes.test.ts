import { describe, expect, test } from 'vitest';
import type { SshTarget } from '../../ssh/ssh-types.ts';
import { EntryNodes } from './entry-nodes.ts';
import { NodeLink } from './node-link.ts';

const quiet = { debug() {}, warn() {} };
const targets = ['first', 'second'].map(
  (host): SshTarget => ({
    host,
    port: 22,
    username: 'root',
    identityFiles: [],
    jumps: [],
    hostKeyPolicy: 'strict',
    knownHostsFiles: [],
    knownHostsWriteFile: '/known',
  }),
);

/** Entry nodes whose work uses no connection. */
function entryNodes(): EntryNodes {
  const unused = {
    connections: 0,
    open: () => Promise.reject(new Error('no connection is made')),
    close: async () => {},
  };
  const open = (target: SshTarget) => NodeLink.open(null, target, unused, { sudo: false, logger: quiet });
  return new EntryNodes(targets, open, quiet);
}

// Each waits for the limit of time of the first entry node.
describe.concurrent('entry nodes', () => {
  test('a read is answered by the next entry node while the first one does not answer', async () => {
    const nodes = entryNodes();
    const asked: string[] = [];
    const answer = nodes.read(({ target: { host } }) => {
      asked.push(host);
      return host === 'first' ? new Promise<string>(() => {}) : Promise.resolve(host);
    });
    expect(await answer).toBe('second');
    expect(asked).toEqual(['first', 'second']);
    expect(nodes.current?.target.host).toBe('second');
  });

  test('an entry node that answers late does not replace the one that has answered for it', async () => {
    const nodes = entryNodes();
    let late = () => {};
    const read = nodes.read(({ target: { host } }) =>
      host === 'second'
        ? Promise.resolve()
        : new Promise<void>((resolve) => {
            late = resolve;
          }),
    );
    await read;
    late();
    await new Promise((resolve) => setImmediate(resolve));
    expect(nodes.current?.target.host).toBe('second');
  });

  test('work that changes something is never given to a second entry node because the first one is slow', async () => {
    const nodes = entryNodes();
    const asked: string[] = [];
    let finish = () => {};
    const done = nodes.use(({ target: { host } }) => {
      asked.push(host);
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
    await nodes.read(({ target: { host } }) =>
      host === 'first' ? new Promise(() => {}) : Promise.resolve(),
    );
    expect(asked).toEqual(['first']);
    finish();
    await done;
  });
});
