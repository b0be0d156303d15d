import type { ConfigError } from '../../config/sources.ts';
import { proseWidth, wrapText } from './output.ts';

/** The risks that I_ACCEPT_RISKS=true accepts. */
export const DISCLAIMER =
  'This server lets an AI assistant run commands as root in your containers and, if you enable it, on the Proxmox node itself. A wrong or manipulated command can destroy data, stop services or leak secrets. There is no warranty: keep backups, and you are responsible for what happens.';

/**
 * The message when the server or a command cannot start: every invalid setting, each with a remedy.
 * @param command the program, or a command of it, with the help for these settings
 */
export function configErrorsText(
  errors: readonly ConfigError[],
  color = false,
  command = 'proxmox-mcp',
  width = proseWidth(process.stderr),
): string {
  const bold = (text: string): string => (color ? `\u001B[1m${text}\u001B[22m` : text);
  const count = errors.length === 1 ? '1 setting needs' : `${errors.length} settings need`;
  const list = errors.map(
    ({ problem, remedy }) =>
      `${indented(`${problem}.`, '  ', width).map(bold).join('\n')}\n${indented(remedy, '    ', width).join('\n')}\n`,
  );
  const consent = errors.some(({ name }) => /i.accept.risks/i.test(name))
    ? `\n${wrapText(DISCLAIMER, width).join('\n')}\n`
    : '';
  const missing = errors.some(({ problem }) => problem.endsWith('is not set'));
  const init = missing ? 'Run `proxmox-mcp init` to set these up step by step, or' : 'Run';
  const help = command === 'proxmox-mcp' ? 'for all settings' : 'for the options';
  const end = wrapText(`${init} \`${command} --help\` ${help}.`, width);
  return `${command} cannot start: ${count} your attention.\n\n${list.join('\n')}${consent}\n${end.join('\n')}\n`;
}

function indented(text: string, indent: string, width: number): string[] {
  return text
    .split('\n')
    .flatMap((line) => wrapText(line, width - indent.length))
    .map((line) => indent + line);
}

/** Whether the stream shows colors, according to NO_COLOR, FORCE_COLOR and TERM. */
export function wantsColor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}
