import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { expect, test } from 'vitest';
import { TOOLS } from '../../src/tools/index.ts';
import { describeNode } from '../e2e/nodes.ts';
import { CT } from '../rig/rig.ts';
import { connectOverHttp } from './client.ts';
import { openSession, useSession } from './requests.ts';
import { HttpServer, TOKEN } from './server.ts';

describeNode('two replicas behind a round-robin load balancer', [], (node) => {
  test('serve one modern client: list, commands, progress', () =>
    withReplicas(node.settings(), async (balancer) => {
      const client = await connectOverHttp({ url: balancer.url, token: TOKEN });
      try {
        expect(await client.listTools()).toHaveLength(TOOLS.length);
        for (let i = 0; i < 6; i += 1) {
          const { data } = await client.callTool('proxmox_container_exec_command', {
            vmid: CT.debian,
            command: `echo ${i}`,
          });
          expect(data).toMatchObject({ stdout: `${i}\n`, exit_code: 0 });
        }
        const notes: number[] = [];
        await client.callTool(
          'proxmox_container_exec_command',
          { vmid: CT.debian, command: 'sleep 2' },
          { onProgress: ({ progress }) => notes.push(progress) },
        );
        expect(notes.length).toBeGreaterThanOrEqual(1);
        expect(Math.min(...balancer.counts)).toBeGreaterThanOrEqual(4);
      } finally {
        await client.close();
      }
    }));

  /** Replicas whose caller may confirm its own calls. */
  const CONFIRMING = {
    POLICY: 'careful',
    ENABLE_HOST_EXEC: 'true',
    APPROVALS: 'client',
    HTTP_TOKEN: '',
    HTTP_TOKENS: `main read,write,host,confirm ${TOKEN}`,
  };

  test('accept the answer to a question of the other replica, once', () =>
    withReplicas({ ...node.settings(), ...CONFIRMING }, async (balancer) => {
      const questions: string[] = [];
      let counts: readonly number[] = [];
      const client = await connectOverHttp({
        url: balancer.url,
        token: TOKEN,
        respond: async (question) => {
          questions.push(question);
          counts = [...balancer.counts];
          return { action: 'accept', content: { allow: true } };
        },
      });
      try {
        for (const text of ['one', 'two']) {
          const { data } = await client.callTool('proxmox_host_exec_command', { command: `echo ${text}` });
          expect(data).toMatchObject({ stdout: `${text}\n`, exit_code: 0 });
          // After the question one more request went to the next replica: the other one.
          expect(balancer.counts.map((count, index) => count - (counts[index] ?? 0)).sort()).toEqual([0, 1]);
        }
        expect(questions).toHaveLength(2);
      } finally {
        await client.close();
      }
    }));

  test('answer 404 for a 2025 session of the other replica', () =>
    withReplicas(node.settings(), async (balancer) => {
      const { id } = await openSession(balancer.url);
      const statuses: number[] = [];
      for (let i = 0; i < 4; i += 1) statuses.push(await useSession(balancer.url, id));
      expect(statuses).toEqual([404, 200, 404, 200]);
    }));
});

/** A load balancer without sticky sessions, which counts the requests of each replica. */
class Balancer {
  readonly counts: number[];
  readonly #server: Server;
  readonly #ports: readonly number[];
  #turn = 0;

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.counts = ports.map(() => 0);
    this.#server = createServer((incoming, outgoing) => {
      const replica = this.#turn % ports.length;
      this.#turn += 1;
      this.counts[replica] = (this.counts[replica] ?? 0) + 1;
      const onward = request(
        {
          port: this.#ports[replica],
          path: incoming.url,
          method: incoming.method,
          headers: incoming.headers,
        },
        (answer: IncomingMessage) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      onward.on('error', () => outgoing.destroy());
      outgoing.on('close', () => onward.destroy());
      incoming.pipe(onward);
    });
  }

  static async start(ports: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(ports);
    await new Promise<void>((resolve) => balancer.#server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the balancer does not listen');
    return `http://127.0.0.1:${address.port}/mcp`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function withReplicas(settings: Record<string, string>, use: (balancer: Balancer) => Promise<void>) {
  const env = { ...settings, STATE_KEY: 'the-key-that-all-replicas-share-0123456789' };
  const replicas = await Promise.all([HttpServer.start({ env }), HttpServer.start({ env })]);
  const balancer = await Balancer.start(replicas.map(({ port }) => port));
  try {
    await use(balancer);
  } finally {
    balancer.stop();
    await Promise.all(replicas.map((replica) => replica.stop()));
  }
}
