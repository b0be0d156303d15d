import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { listDocuments } from '../../scripts/gen/documents.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The text without code, where brackets are not links and # does not begin a heading. */
function proseOf(name: string): string {
  return readFileSync(path.join(root, name), 'utf8')
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
    .replaceAll(/(`+)(?:(?!\1)[^\n])+\1/g, (code) => code.replaceAll(/[[\]()]/g, ''));
}

/** The anchors that GitHub gives to the headings of a page; a repeated heading gets a number. */
function anchorsOf(name: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...proseOf(name).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** Why the target of a link does not exist, or undefined. */
function faultOf(page: string, target: string): string | undefined {
  const [file = '', anchor] = target.split('#');
  const linked = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
  if (!existsSync(path.join(root, linked))) return `${target}: there is no ${linked}`;
  if (anchor === undefined || !linked.endsWith('.md')) return undefined;
  return anchorsOf(linked).includes(anchor) ? undefined : `${target}: ${linked} has no such heading`;
}

test.each(listDocuments())('the links of %s lead to files and headings that exist', (page) => {
  const targets = [...proseOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = '']) => target);
  expect(targets.flatMap((target) => faultOf(page, target) ?? [])).toEqual([]);
});

test('every page is linked from README or from another page that is', () => {
  const reached = new Set(['README.md']);
  for (const page of reached) {
    for (const [, target = ''] of proseOf(page).matchAll(/\]\((?!https?:)([^)#\s]+\.md)/g))
      reached.add(path.posix.join(path.posix.dirname(page), target));
  }
  expect(listDocuments().filter((page) => page !== 'AGENTS.md' && !reached.has(page))).toEqual([]);
});
