import { readdirSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** The pages that users and developers read, by their paths in the repository: READMEs, CONTRIBUTING, AGENTS, docs/. */
export function listDocuments(): readonly string[] {
  const top = readdirSync(root).filter((name) => /^(README|CONTRIBUTING|AGENTS).*\.md$/.test(name));
  const pages = readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`);
  return [...top.sort(), ...pages.sort()];
}
