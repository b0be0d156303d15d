import { setTimeout as sleep } from 'node:timers/promises';
import {
  asksForEnd,
  CallCollector,
  type CallFilter,
  matches,
  type News,
  type RecordedCall,
} from '../../../governance/audit/call-history.ts';
import { SegmentFollower } from '../../../governance/audit/segments.ts';
import { wantsColour } from '../../output/config-errors.ts';
import { print, type Style, styleFor } from '../../output/output.ts';
import { callText, eventText, headerText, type Layout, layoutOf } from './audit-text.ts';

/** What is shown, and how. */
export interface Showing {
  readonly dir: string;
  readonly filter: CallFilter;
  /** How many of the last ones; undefined: all. */
  readonly last: number | undefined;
  readonly json: boolean;
  /** All columns, whatever the terminal. */
  readonly wide: boolean;
}

/** How often is looked for more. */
const LOOK_MS = 300;
/** What runs longer is shown before it ends. */
const SOON_MS = 1000;

/** `audit show`: calls in the order in which they began. */
export async function show(showing: Showing): Promise<void> {
  const calls = new Calls(showing);
  calls.take(await new SegmentFollower(showing.dir).next());
  await printCalls(calls.latest(), showing);
  if (calls.unreadable > 0)
    process.stderr.write(`proxmox-mcp: ${calls.unreadable} lines can not be read; see audit verify\n`);
}

/** `audit tail`: the last calls, then each one as it ends; one that takes its time is shown when it has begun, too. */
export async function tail(showing: Showing): Promise<void> {
  const { filter, json } = showing;
  const follower = new SegmentFollower(showing.dir);
  const calls = new Calls(showing);
  calls.take(await follower.next());
  await printCalls(calls.latest(), showing);
  endWhenToldTo();
  const style = styleFor(wantsColour(process.stdout));
  // One layout for all that comes, so that rows stay aligned.
  const layout = layoutOf(roomOf(), showing.wide);
  const begun = new Map<string, { readonly call: RecordedCall; readonly since: number }>();
  for (;;) {
    await sleep(LOOK_MS);
    for (const line of await follower.next()) {
      const news = calls.add(line);
      if (json) await print(linesOf(news, filter));
      else await print(newsText(news, filter, style, layout));
      if (news.kind === 'begun') begun.set(news.call.begun.call, { call: news.call, since: Date.now() });
      if (news.kind === 'over') begun.delete(news.call.begun.call);
    }
    for (const [id, { call, since }] of begun) {
      if (Date.now() - since < SOON_MS) continue;
      begun.delete(id);
      if (!json && !asksForEnd(filter) && matches(call, filter))
        await print(callText(call, style, roomOf(), layout, true));
    }
  }
}

/** All calls that are asked for, by when they began. */
class Calls {
  readonly #showing: Showing;
  readonly #collector = new CallCollector();
  readonly #calls = new Map<string, RecordedCall>();
  unreadable = 0;

  constructor(showing: Showing) {
    this.#showing = showing;
  }

  take(lines: readonly string[]): void {
    for (const line of lines) {
      const news = this.add(line);
      if (news.kind === 'unreadable') this.unreadable += 1;
      if (news.kind === 'begun' || news.kind === 'over') this.#calls.set(news.call.begun.call, news.call);
    }
  }

  add(line: string): News {
    return this.#collector.add(line);
  }

  latest(): readonly RecordedCall[] {
    const { filter, last } = this.#showing;
    const found = [...this.#calls.values()].filter((call) => matches(call, filter));
    found.sort((a, b) => Date.parse(a.begun.at) - Date.parse(b.begun.at));
    this.#calls.clear();
    return last === undefined ? found : found.slice(Math.max(found.length - last, 0));
  }
}

async function printCalls(calls: readonly RecordedCall[], { json, dir, wide }: Showing): Promise<void> {
  if (json) return print(calls.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join(''));
  const style = styleFor(wantsColour(process.stdout));
  if (calls.length === 0) {
    process.stderr.write(`No such call was logged in ${dir}.\n`);
    return;
  }
  const layout = layoutOf(roomOf(), wide, calls);
  const lines = calls.map((call) => callText(call, style, roomOf(), layout));
  await print(`${headerText(style, layout)}${lines.join('')}`);
}

function newsText(news: News, filter: CallFilter, style: Style, layout: Layout): string {
  if (news.kind === 'over')
    return matches(news.call, filter) ? callText(news.call, style, roomOf(), layout) : '';
  return (news.kind === 'other' ? eventText(news.record, style) : undefined) ?? '';
}

/** What of the record itself is passed on: all that belongs to calls that match, as soon as that is known. */
function linesOf(news: News, filter: CallFilter): string {
  if (news.kind === 'unreadable' || news.kind === 'other') return '';
  const { call } = news;
  const late = asksForEnd(filter);
  if ((news.kind === 'begun' && late) || !matches(call, filter)) return '';
  const lines = news.kind === 'over' && !late ? call.lines.slice(-1) : call.lines;
  return lines.map((line) => `${line}\n`).join('');
}

/** Characters of a line of the terminal; undefined when it goes elsewhere. */
function roomOf(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** Ctrl-C, or a reader that has left (`| head`): both mean that it is enough. */
function endWhenToldTo(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));
  process.stdout.on('error', () => process.exit(0));
}
