import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CallReport } from '../../calls/call-observer.ts';
import { ERROR_CODES, type ErrorCode } from '../../lib/errors.ts';
import type { Metrics, Refusal } from './http-types.ts';

/** Values that are read at the time of a metrics request. */
export interface MetricSources {
  readonly version: string;
  /** Number of open SSH connections to nodes. */
  sshConnections(): number;
  /** Number of sessions of clients with MCP 2025 or older. */
  sessions(): number;
}

const OUTCOMES = new Set<string>(['ok', ...ERROR_CODES]);

/** The reason label for a refused call, by its error code. An open approval question does not count as a refusal. */
const REFUSED = {
  RIGHT_MISSING: 'permission',
  READ_ONLY: 'policy',
  HOST_ACCESS_DISABLED: 'policy',
  POLICY_DENIED: 'policy',
  WRONG_TARGET: 'policy',
  ATTRIBUTES_UNREADABLE: 'policy',
  CONFIRMATION_REFUSED: 'confirmation',
  APPROVAL_EXPIRED: 'confirmation',
  APPROVAL_INVALID: 'confirmation',
  APPROVAL_USED: 'confirmation',
  APPROVAL_UNCLAIMED: 'confirmation',
  AUDIT_UNAVAILABLE: 'audit',
} as const satisfies Partial<Record<ErrorCode, string>>;

const REASONS = new Map<string, string>(Object.entries(REFUSED));

/**
 * Metrics for Prometheus. Names and labels are few and fixed: they never contain callers, containers or text of clients.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Counter({
    name: 'proxmox_mcp_calls_total',
    help: 'Tool calls by tool and outcome: ok, or the error code',
    labelNames: ['tool', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'proxmox_mcp_call_duration_seconds',
    help: 'Duration of tool calls',
    labelNames: ['tool'],
    // From a cached status to a command with the longest timeout.
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers,
  });
  const bytes = new Counter({
    name: 'proxmox_mcp_transferred_bytes_total',
    help: 'Bytes of completely transferred files, by direction',
    labelNames: ['direction'],
    registers,
  });
  const kills = new Counter({
    name: 'proxmox_mcp_kills_total',
    help: 'Killed commands by reason, and whether no process was left, some survived, or that is unknown',
    labelNames: ['why', 'left'],
    registers,
  });
  const survivors = new Counter({
    name: 'proxmox_mcp_kill_survivors_total',
    help: 'Processes that survived a kill',
    registers,
  });
  const refusals = new Counter({
    name: 'proxmox_mcp_refusals_total',
    help: 'Refused requests and calls, by reason',
    labelNames: ['reason'],
    registers,
  });
  new Gauge({
    name: 'proxmox_mcp_ssh_connections',
    help: 'Open SSH connections',
    registers,
    collect() {
      this.set(sources.sshConnections());
    },
  });
  new Gauge({
    name: 'proxmox_mcp_sessions',
    help: 'Open sessions of clients with MCP 2025 or older',
    registers,
    collect() {
      this.set(sources.sessions());
    },
  });
  new Gauge({
    name: 'proxmox_mcp_info',
    help: 'Version of the server',
    labelNames: ['version'],
    registers,
  }).set({ version: sources.version }, 1);
  const called = (report: CallReport) => {
    const { tool, outcome, durationMs, data = {} } = report;
    calls.inc({ tool, outcome: OUTCOMES.has(outcome) ? outcome : 'other' });
    durations.observe({ tool }, durationMs / 1000);
    const refused = REASONS.get(outcome);
    if (refused !== undefined) refusals.inc({ reason: refused });
    if (typeof data.bytes_transferred === 'number') {
      bytes.inc({ direction: tool.includes('upload') ? 'upload' : 'download' }, data.bytes_transferred);
    }
    if (data.ended === 'timeout' || data.ended === 'cancelled') {
      const left = Array.isArray(data.survivors) ? data.survivors.length : undefined;
      kills.inc({
        why: data.ended,
        left: left === undefined ? 'unknown' : left === 0 ? 'nothing' : 'survivors',
      });
      survivors.inc(left ?? 0);
    }
  };
  return {
    observer: { called },
    onRefusal: (refusal: Refusal) => refusals.inc({ reason: refusal }),
    respond: async () =>
      new Response(await registry.metrics(), { headers: { 'Content-Type': registry.contentType } }),
  };
}
