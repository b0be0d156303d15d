import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';

/** What a client needs to log in as root by key. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly keyPath: string;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Logs in without the code under test. @param sock a stream to the node, instead of a new connection */
export function connect(login: Login, sock?: Duplex): Promise<ssh2.Client> {
  const client = new ssh2.Client();
  const privateKey = readFileSync(login.keyPath);
  return new Promise((resolve, reject) => {
    client.once('ready', () => resolve(client));
    client.on('error', reject);
    const target = sock === undefined ? { host: login.host, port: login.port } : { sock };
    client.connect({ ...target, username: 'root', privateKey, readyTimeout: 5_000 });
  });
}

/** A stream to an address through the node that the client is logged in to. */
export function forward(client: ssh2.Client, host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, host, port, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });
}

/** Runs a command line and collects its output. */
export function run(client: ssh2.Client, line: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => {
      if (error) return reject(error);
      let [stdout, stderr]: [string, string] = ['', ''];
      let code: number | null = null;
      channel.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      channel.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      channel.on('exit', (value: number | null) => {
        code = value;
      });
      channel.on('close', () => resolve({ code, stdout, stderr }));
      channel.end();
    });
  });
}

/** Logs in, runs a command line, and logs out. */
export async function runOn(login: Login, line: string): Promise<Ran> {
  const client = await connect(login);
  try {
    return await run(client, line);
  } finally {
    client.end();
  }
}
