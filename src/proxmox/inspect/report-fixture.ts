import { type ContainerReport, parseContainerReport } from './container-report.ts';
import { SECTIONS } from './inspect-types.ts';

/** A report whose commands have all ended, with the exit codes of `codes` or 0. */
export function reportOf(
  parts: Readonly<Record<string, string>>,
  codes: Readonly<Record<string, number | null>> = {},
): ContainerReport {
  const lines = Object.entries(parts).map(([name, text]) => {
    const code = codes[name] === undefined ? 0 : codes[name];
    return `W part ${name}\n${text}\n${code === null ? '' : `W code ${name} ${code}\n`}`;
  });
  return parseContainerReport(
    `W began\n${lines.join('')}${SECTIONS.map((section) => `W done ${section}\n`).join('')}W ended\n`,
    'W',
  );
}
