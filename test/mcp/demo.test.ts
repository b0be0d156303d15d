import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectClient, serverCommand } from './client.ts';

describe('demo', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'demo-test-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  function demo(args: readonly string[], env: Record<string, string> = {}) {
    const { command, args: all } = serverCommand(['demo', ...args]);
    return spawnSync(command, all, {
      cwd: dir,
      env: { PATH: process.env.PATH ?? '', ...env },
      encoding: 'utf8',
    });
  }

  test('runs every step without an error, and without colors outside a terminal', () => {
    const { stdout, stderr, status } = demo([]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/101 +running +web/);
    expect(stdout).toContain('97%');
    expect(stdout).toMatch(/4 equal: 101, 102, 105, 201: "Debian/);
    expect(stdout.match(/SHA-256 verified/g)).toHaveLength(2);
    expect(stdout).toContain('CONTAINER_NOT_RUNNING');
    expect(stdout).toContain('HOST_ACCESS_DISABLED');
    expect(stdout).toContain('0 of its processes are left');
    expect(stdout).not.toContain('\u001B');
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThan(160);
  });

  test('reports an invalid scenario', () => {
    writeFileSync(path.join(dir, 'bad.yaml'), 'nodes: { n: { conainers: {} } }');
    const { stdout, stderr, status } = demo(['--scenario', 'bad.yaml']);
    expect([stdout, status]).toEqual(['', 1]);
    expect(stderr).toContain('conainers');
  });

  test('serves the simulated node with --serve', async () => {
    // Settings in the environment for another node are ignored.
    const client = await connectClient({
      args: ['demo', '--serve'],
      env: { HOST: '192.0.2.1', SSH_PASSWORD: 'x' },
    });
    try {
      const { text } = await client.callTool('proxmox_container_exec_command', {
        vmid: 103,
        command: 'cat /etc/alpine-release',
      });
      expect(text).toContain('3.22');
      expect((await client.callTool('proxmox_start_container', { vmid: 104 })).data).toMatchObject({
        changed: true,
      });
    } finally {
      await client.close();
    }
  });
});
