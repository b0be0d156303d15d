import { secretsOf } from '../../../config/secrets.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { createRedactor } from '../../../governance/redaction/redact.ts';
import type { Request } from '../../command.ts';
import { wantsColor } from '../../output/config-errors.ts';
import { ignoreEpipe, print, redrawLine, styleFor, textWidth } from '../../output/output.ts';
import { reportUsageError, UsageError } from '../../usage-error.ts';
import { CHECKS, type Check } from './check.ts';
import { checkText, skippedText, summaryText } from './doctor-text.ts';
import { examine } from './examine.ts';
import { reportText } from './report.ts';
import { examineSettings } from './settings-check.ts';

/** `proxmox-mcp doctor`: checks every step from the settings to a command in a container. */
export async function doctor({ input, options }: Request): Promise<void> {
  const vmid = options.exec;
  if (vmid !== undefined && !/^[1-9]\d{2,8}$/.test(vmid)) {
    const given = `'${vmid.slice(0, 40)}'`;
    return reportUsageError(new UsageError(`--exec needs a VMID such as 101, not ${given}`), 'doctor');
  }
  ignoreEpipe();
  const { checks: asFound, found, invalid, file } = examineSettings(input);
  const redact = redactChecks(found?.config);
  const first = asFound.map(redact);
  const json = options.json === 'true';
  const report = options.report === 'true';
  const screen = json || report ? undefined : new Screen();
  for (const check of first) screen?.show(check);
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  const rest = found
    ? await examine({
        ...found,
        exec: vmid === undefined ? undefined : Number(vmid),
        signal: abort.signal,
        report: (check) => screen?.show(redact(check)),
        begin: (id) => screen?.wait(CHECKS[id]),
      })
    : [];
  const checks = [...first, ...rest.map(redact)];
  const ok =
    !abort.signal.aborted && checks.every(({ verdict }) => verdict !== 'fail' && verdict !== 'skipped');
  if (abort.signal.aborted) screen?.cancelled();
  else screen?.end(checks, found !== undefined && ok && vmid === undefined);
  if (report) await print(reportText(checks, found, file));
  if (json) {
    const shown = checks.map(({ names: _, ...check }) => check);
    await print(`${JSON.stringify({ ok, checks: shown }, null, 2)}\n`);
  }
  process.exit(abort.signal.aborted ? 130 : invalid ? 2 : ok ? 0 : 1);
}

/** Redacts the secrets of the settings in checks, whose texts come partly from programs and nodes. */
function redactChecks(config: Config | undefined): (check: Check) => Check {
  const redactor = createRedactor({ secrets: () => (config === undefined ? [] : secretsOf(config)) });
  return (check) => ({
    ...check,
    detail: redactor.show(check.detail),
    ...(check.remedy === undefined ? {} : { remedy: redactor.show(check.remedy) }),
  });
}

/** Prints each check as it completes and, on a terminal, the check that is running. */
class Screen {
  readonly #style = styleFor(wantsColor(process.stdout));
  readonly #width = textWidth(process.stdout);
  #skipped: Check[] = [];

  show(check: Check): void {
    this.#clear();
    if (check.verdict === 'skipped') {
      this.#skipped.push(check);
      return;
    }
    this.#flush();
    process.stdout.write(checkText(check, this.#style, this.#width));
  }

  wait(title: string): void {
    if (process.stdout.isTTY) redrawLine(process.stdout, this.#style.dim(`… ${title}`));
  }

  cancelled(): void {
    this.#clear();
    this.#flush();
    process.stdout.write('\nCancelled. Nothing was changed.\n');
  }

  end(checks: readonly Check[], suggestExec: boolean): void {
    this.#clear();
    this.#flush();
    process.stdout.write(summaryText(checks, this.#style, this.#width));
    if (suggestExec) {
      process.stdout.write(
        this.#style.dim('To also test a command in a container: proxmox-mcp doctor --exec VMID\n'),
      );
    }
  }

  #flush(): void {
    process.stdout.write(skippedText(this.#skipped, this.#style, this.#width));
    this.#skipped = [];
  }

  #clear(): void {
    if (process.stdout.isTTY) redrawLine(process.stdout);
  }
}
