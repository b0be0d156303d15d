import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

const sources = { version: '1.2.3', sshConnections: () => 3, sessions: () => 2 };
const base = {
  tool: 'proxmox_container_exec_command',
  outcome: 'TIMEOUT',
  durationMs: 1500,
  data: undefined,
};

async function linesAfter(...data: object[]): Promise<string[]> {
  const metrics = createMetrics(sources);
  for (const more of data) metrics.observer.called({ ...base, ...more });
  return (await (await metrics.respond()).text()).split('\n');
}

test('count kills by result: nothing left, survivors, unknown', async () => {
  const survivors = [
    { pid: 1, name: 'a' },
    { pid: 2, name: 'b' },
  ];
  const lines = await linesAfter(
    { data: { ended: 'timeout', survivors: [] } },
    { data: { ended: 'timeout', survivors } },
    { data: { ended: 'cancelled', survivors: null } },
    { data: { ended: 'exit', survivors: null } },
    { data: { ended: 'disconnected', survivors: null } },
  );
  expect(lines.filter((line) => line.startsWith('proxmox_mcp_kills_total')).sort()).toEqual([
    'proxmox_mcp_kills_total{why="cancelled",left="unknown"} 1',
    'proxmox_mcp_kills_total{why="timeout",left="nothing"} 1',
    'proxmox_mcp_kills_total{why="timeout",left="survivors"} 1',
  ]);
  expect(lines).toContain('proxmox_mcp_kill_survivors_total 2');
});

test('count unknown outcomes under one label', async () => {
  const lines = await linesAfter({ outcome: 'a' }, { outcome: 'b' }, { outcome: 'ok' });
  expect(lines.filter((line) => line.startsWith('proxmox_mcp_calls_total{')).sort()).toEqual([
    'proxmox_mcp_calls_total{tool="proxmox_container_exec_command",outcome="ok"} 1',
    'proxmox_mcp_calls_total{tool="proxmox_container_exec_command",outcome="other"} 2',
  ]);
});

test('read gauges at scrape time', async () => {
  const lines = await linesAfter();
  expect(lines).toContain('proxmox_mcp_ssh_connections 3');
  expect(lines).toContain('proxmox_mcp_sessions 2');
  expect(lines).toContain('proxmox_mcp_info{version="1.2.3"} 1');
});
