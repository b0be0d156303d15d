import type { Fault } from '../../config/sources.ts';

/** What is accepted by I_ACCEPT_RISKS. */
export const DISCLAIMER = `This server lets an AI assistant run commands as root in your containers and, if you enable it,
on the Proxmox node itself. A mistaken or manipulated command can destroy data, stop services and
give secrets away. It comes without any warranty: what is done through it is your responsibility.
Keep backups, look around with READ_ONLY=true first, and use it only on systems that are yours to risk.
`;
const ACCEPT =
  '\nIf you accept that, set I_ACCEPT_RISKS=true where you set HOST (or pass --i-accept-risks).\n';

/** What a person reads when the server cannot start: every fault, each with what to do about it. */
export function faultsText(
  faults: readonly Fault[],
  colour = false,
  headline = 'proxmox-mcp cannot start',
): string {
  const bold = (text: string): string => (colour ? `\u001B[1m${text}\u001B[22m` : text);
  const count = faults.length === 1 ? 'one setting needs' : `${faults.length} settings need`;
  const list = faults.map(({ problem, remedy }) => `  ${bold(`${problem}.`)}\n    ${remedy}\n`).join('\n');
  const consent = faults.some(({ name }) => /i.accept.risks/i.test(name)) ? `\n${DISCLAIMER}${ACCEPT}` : '';
  return `${headline}: ${count} your attention.\n\n${list}${consent}\nAll settings: proxmox-mcp --help. To be asked for them: proxmox-mcp init\n`;
}

/** Whether colours would be seen as colours. */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}
