import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Whether `.dockerignore` keeps a relative path (with `/`) out of the build: the last matching line decides. */
export function isIgnored(file: string, rules: readonly string[]): boolean {
  let ignored = false;
  for (const rule of rules) {
    const wanted = rule.startsWith('!');
    const pattern = toRegExp(wanted ? rule.slice(1) : rule);
    // A matching directory stands for everything in it.
    const parts = file.split('/');
    if (parts.some((_, index) => pattern.test(parts.slice(0, index + 1).join('/')))) ignored = !wanted;
  }
  return ignored;
}

export function readRules(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
}

/** Copies the files that `docker build` would receive. */
export function copyContext(from: string, to: string): void {
  const rules = readRules(path.join(from, '.dockerignore'));
  cpSync(from, to, {
    recursive: true,
    filter: (source) => {
      const name = path.relative(from, source).replaceAll(path.sep, '/');
      return name === '' || !isIgnored(name, rules);
    },
  });
}

function toRegExp(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\u0000')
    .replaceAll('*', '[^/]*')
    .replaceAll('\u0000', '(?:.*/)?');
  return new RegExp(`^${source}$`);
}
