import { PACKAGE } from '../../src/lib/package-info.ts';

/** package.json with the addresses of the project, or without them as long as the repository is unknown. */
export function renderPackageJson(text: string, repository = PACKAGE.repository): string {
  const { repository: _repository, bugs: _bugs, ...rest }: Record<string, unknown> = JSON.parse(text);
  const addresses =
    repository === undefined
      ? {}
      : { repository: { type: 'git', url: `git+${repository}.git` }, bugs: { url: `${repository}/issues` } };
  return `${JSON.stringify({ ...rest, ...addresses }, null, 2)}\n`;
}
