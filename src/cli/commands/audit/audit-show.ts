import { setTimeout as sleep } from 'node:timers/promises';
import {
  asksForEnd,
  CallCollector,
  type CallFilter,
  type LoggedCall,
  matches,
  type News,
} from '../../../governance/audit/call-history.ts';
import { SegmentFollower } from '../../../governance/audit/segments.ts';
import { wantsColor } from '../../output/config-errors.ts';
import { print, printMessage, type Style, styleFor } from '../../output/output.ts';
import { callText, eventText, headerText, type Layout, layoutOf } from './audit-text.ts';

/** The calls to show, and the format. */
export interface Showing {
  readonly dir: string;
  readonly filter: CallFilter;
  /** Only the last so many calls; undefined: all. */
  readonly last: number | undefined;
  readonly json: boolean;
  /** Show all columns, also on a narrow terminal. */
  readonly wide: boolean;
}

/** Interval at which `tail` reads new entries. */
const POLL_MS = 300;
/** `tail` shows a call that runs longer than this before it ends. */
const SHOW_RUNNING_MS = 1000;

/** `audit show`: calls in the order in which they began. */
export async function show(showing: Showing): Promise<void> {
  const calls = new Calls(showing);
  for await (const lines of new SegmentFollower(showing.dir).next()) calls.take(lines);
  await printCalls(calls.latest(), showing);
  if (calls.unreadable > 0)
    await printMessage(`${calls.unreadable} lines cannot be read; run \`proxmox-mcp audit verify\``);
}

/** `audit tail`: the last calls, then each call when it ends. A call that runs for a while is also shown while it runs. */
export async function tail(showing: Showing): Promise<void> {
  const { filter, json } = showing;
  const follower = new SegmentFollower(showing.dir);
  const calls = new Calls(showing);
  for await (const lines of follower.next()) calls.take(lines);
  await printCalls(calls.latest(), showing);
  exitOnSignal();
  const style = styleFor(wantsColor(process.stdout));
  // One layout for all rows, so that they stay aligned.
  const layout = layoutOf(lineWidth(), showing.wide);
  const begun = new Map<string, { readonly call: LoggedCall; readonly since: number }>();
  for (;;) {
    await sleep(POLL_MS);
    for await (const lines of follower.next()) {
      for (const line of lines) {
        const news = calls.add(line);
        if (json) await print(linesOf(news, filter));
        else await print(newsText(news, filter, style, layout));
        if (news.kind === 'begun') begun.set(news.call.begun.call, { call: news.call, since: Date.now() });
        if (news.kind === 'over') begun.delete(news.call.begun.call);
      }
    }
    for (const [id, { call, since }] of begun) {
      if (Date.now() - since < SHOW_RUNNING_MS) continue;
      begun.delete(id);
      if (!json && !asksForEnd(filter) && matches(call, filter))
        await print(callText(call, style, lineWidth(), layout, true));
    }
  }
}

/** Calls that are kept besides the last ones, before they are sorted and cut to those. */
const MOST_EXTRA = 1_000;

interface Found {
  readonly call: LoggedCall;
  /** Its place in the order of the begin entries. */
  readonly place: number;
}

/** Collects calls, and returns those that match the filter by start time. Keeps no more calls than it returns, and those that run. */
class Calls {
  readonly #showing: Showing;
  readonly #collector = new CallCollector();
  readonly #running = new Map<string, Found>();
  #found: readonly Found[] = [];
  #ended: Found[] = [];
  #begun = 0;
  unreadable = 0;

  constructor(showing: Showing) {
    this.#showing = showing;
  }

  take(lines: readonly string[]): void {
    for (const line of lines) {
      const news = this.add(line);
      if (news.kind === 'unreadable') this.unreadable += 1;
      if (news.kind === 'begun' || news.kind === 'over') this.#take(news);
    }
  }

  #take({ kind, call }: Extract<News, { kind: 'begun' | 'over' }>): void {
    const id = call.begun.call;
    const place = this.#running.get(id)?.place ?? this.#begun++;
    const found = { call: this.#showing.json ? call : { ...call, lines: [] }, place };
    if (kind === 'begun') {
      this.#running.set(id, found);
      return;
    }
    this.#running.delete(id);
    if (matches(call, this.#showing.filter)) this.#ended.push(found);
    if (this.#ended.length > MOST_EXTRA + this.#found.length) {
      this.#found = this.#lastOf([...this.#found, ...this.#ended]);
      this.#ended = [];
    }
  }

  add(line: string): News {
    return this.#collector.add(line);
  }

  latest(): readonly LoggedCall[] {
    const running = [...this.#running.values()].filter(({ call }) => matches(call, this.#showing.filter));
    const found = this.#lastOf([...this.#found, ...this.#ended, ...running]);
    this.#running.clear();
    this.#found = [];
    this.#ended = [];
    return found.map(({ call }) => call);
  }

  #lastOf(found: Found[]): readonly Found[] {
    const { last } = this.#showing;
    found.sort((a, b) => Date.parse(a.call.begun.at) - Date.parse(b.call.begun.at) || a.place - b.place);
    return last === undefined ? found : found.slice(Math.max(found.length - last, 0));
  }
}

async function printCalls(calls: readonly LoggedCall[], { json, dir, wide }: Showing): Promise<void> {
  if (json) return print(calls.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join(''));
  const style = styleFor(wantsColor(process.stdout));
  if (calls.length === 0) {
    process.stderr.write(`No matching calls in ${dir}.\n`);
    return;
  }
  const layout = layoutOf(lineWidth(), wide, calls);
  const lines = calls.map((call) => callText(call, style, lineWidth(), layout));
  await print(`${headerText(style, lineWidth(), layout)}${lines.join('')}`);
}

function newsText(news: News, filter: CallFilter, style: Style, layout: Layout): string {
  if (news.kind === 'over')
    return matches(news.call, filter) ? callText(news.call, style, lineWidth(), layout) : '';
  return (news.kind === 'other' ? eventText(news.record, style) : undefined) ?? '';
}

/** The raw lines to print for a new entry: those of a matching call, as soon as it is known to match. */
function linesOf(news: News, filter: CallFilter): string {
  if (news.kind === 'unreadable' || news.kind === 'other') return '';
  const { call } = news;
  const late = asksForEnd(filter);
  if ((news.kind === 'begun' && late) || !matches(call, filter)) return '';
  const lines = news.kind === 'over' && !late ? call.lines.slice(-1) : call.lines;
  return lines.map((line) => `${line}\n`).join('');
}

/** The width of the terminal; undefined if stdout is not one. */
function lineWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** Exits with code 0 on Ctrl-C and when the reader exits (`| head`). */
function exitOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));
  process.stdout.on('error', () => process.exit(0));
}
