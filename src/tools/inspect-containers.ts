import * as z from 'zod';
import { AppError } from '../lib/errors.ts';
import {
  type ContainerFacts,
  type Inspection,
  type NotChecked,
  OVERVIEW,
  SECTIONS,
} from '../proxmox/inspect/inspect-types.ts';
import { readLogs } from './read-logs.ts';
import { fitInspection } from './shared/inspection-limit.ts';
import {
  hasFullMount,
  inspectionData,
  inspectionOutput,
  isShort,
  problemsOf,
} from './shared/inspection-output.ts';
import { inspectionText } from './shared/inspection-text.ts';
import { selectContainers, skippedRows, targetInput } from './shared/targets.ts';
import { type ContainerTarget, defineContainersTool, type TargetOutcome } from './tool.ts';

/** Characters of a row, for the share of each container in the character limit. */
const ROW = 80;
const MOST_ROWS = 10;
const FEWEST_ROWS = 3;
/** Up to so many containers, the largest directories and files are listed; of more, only where a disk is full. */
const FEW = 2;
/** Limit of a clock difference, in seconds. Smaller ones may be the duration of the call. */
const LEAST_SKEW = 2;

const percent = { error: 'must be an integer from 1 to 100 (percent)' };

export const inspectContainers = defineContainersTool({
  name: 'proxmox_inspect_containers',
  title: 'Inspect containers',
  description:
    'Health of many LXC containers in one call, without changing anything. Use it first to find problems. ' +
    'Default: one row each for running ones (OS, uptime, memory, disk, failed services). ' +
    'sections adds details: top processes (memory), largest files, deleted but open files (disk), addresses and ports (network), ' +
    'busiest processes, pending updates, last errors (logs).',
  toolset: 'inspect',
  effect: 'read',
  input: z.strictObject({
    ...targetInput,
    sections: z
      .array(z.enum(SECTIONS, { error: `must be a list of ${SECTIONS.join(', ')}` }), {
        error: 'must be a list, like ["disk"]',
      })
      .min(1, { error: 'must not be empty' })
      .optional()
      .describe('Details to read'),
    threshold: z
      .int(percent)
      .min(1, percent)
      .max(100, percent)
      .default(85)
      .describe('Percent of a disk from which on it is a problem'),
  }),
  output: inspectionOutput,
  alsoDiscloses: ({ sections }) => (sections?.includes('logs') ? readLogs : null),
  containers: ({ vmids, tags, name, node, except }, search) =>
    selectContainers({ vmids, tags, name, node, except }, search, 'all'),
  async run(input, ctx) {
    const targets = ctx.containers.filter(({ refusal }) => refusal === null);
    const details = input.sections !== undefined;
    const sections = [...new Set(input.sections ?? OVERVIEW)];
    const share = Math.floor(
      ctx.settings.characterLimit / ROW / Math.max(1, targets.length) / sections.length,
    );
    const inspection = await ctx.cluster.inspect({
      containers: targets.map(({ vmid, precondition, withheld }) => {
        const readable = sections.filter((section) => section !== 'logs' || withheld === null);
        return { vmid, precondition, sections: readable };
      }),
      diskUsage: details && sections.includes('disk'),
      mostRows: Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, share)),
      signal: ctx.signal,
    });
    const failed = new Map(inspection.failed.map(({ vmid, error }) => [vmid, error]));
    const refused = ctx.containers.map((target) => ({
      ...target,
      refusal: target.refusal ?? failed.get(target.vmid) ?? null,
    }));
    const now = timeOf(inspection);
    const byVmid = new Map(targets.map((target) => [target.vmid, target]));
    const data = {
      time: now,
      clocks: inspection.clocks
        .filter(({ skew }) => Math.abs(skew) >= LEAST_SKEW)
        .map(({ node, skew }) => ({ node, ahead_s: skew })),
      containers: inspection.containers.map((facts) =>
        toRow(facts, byVmid.get(facts.vmid), { ...input, now, details, everyDisk: targets.length <= FEW }),
      ),
      skipped: skippedRows(refused),
      survivors: inspection.survivors?.map(({ pid, name }) => ({ pid, name })) ?? null,
    };
    refuseIfNone(inspection);
    const limit = ctx.settings.characterLimit;
    return {
      data,
      text: (shown) =>
        inspectionText(inspectionData.parse(shown), {
          sections: input.sections ?? null,
          threshold: input.threshold,
          limit,
        }),
      fit: (shown) => fitInspection(inspectionData.parse(shown), limit),
      outcomes: targets.map(
        ({ vmid }): TargetOutcome => ({ vmid, code: failed.get(vmid)?.code ?? 'ok', data: {} }),
      ),
    };
  },
});

/** @throws AppError if containers were to be inspected, and none could be */
function refuseIfNone({ containers, failed }: Inspection): void {
  const [first] = failed;
  if (first === undefined || containers.length > 0) return;
  const { code, message, hint } = first.error;
  const reasons = [...new Set(failed.map(({ error }) => error.message))];
  const more = reasons.length > MOST_REASONS ? ` And ${reasons.length - MOST_REASONS} more.` : '';
  throw failed.length === 1
    ? first.error
    : new AppError(
        code,
        `None of the ${failed.length} containers could be inspected. ${reasons.length === 1 ? message : reasons.slice(0, MOST_REASONS).join(' ')}${more}`,
        hint,
      );
}

const MOST_REASONS = 5;

/** The earliest time at which values were read. */
function timeOf({ clocks }: Inspection): string {
  const times = clocks.map(({ time }) => time * 1000);
  return new Date(times.length === 0 ? Date.now() : Math.min(...times)).toISOString().replace(/\.\d+Z$/, 'Z');
}

type Row = z.output<typeof inspectionData>['containers'][number];

function toRow(
  facts: ContainerFacts,
  target: ContainerTarget | undefined,
  options: {
    readonly threshold: number;
    readonly now: string;
    readonly details: boolean;
    readonly everyDisk: boolean;
  },
): Row {
  const { name = null, withheld = null } = target ?? {};
  const problems = problemsOf(facts, options).map((problem) => problem.slice(0, 120));
  const not_checked = withheld === null ? facts.not_checked : [...facts.not_checked, withheldLogs(withheld)];
  const row = inspectionData.shape.containers.element.parse({ ...facts, name, problems, not_checked });
  // In an overview, only where memory is short.
  if (!options.details && !isShort(facts.memory, options.threshold)) delete row.memory?.top_processes;
  return row.disk === undefined || options.everyDisk || hasFullMount(row.disk, options.threshold)
    ? row
    : { ...row, disk: { mounts: row.disk.mounts, deleted_open: row.disk.deleted_open } };
}

function withheldLogs({ code }: AppError): NotChecked {
  const why =
    code === 'CONFIRMATION_REQUIRED' ? 'needs approval; call it instead' : `is not permitted here (${code})`;
  return { section: 'logs', reason: `Log lines are withheld, because ${readLogs.name} ${why}.` };
}
