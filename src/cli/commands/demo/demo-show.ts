import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fitText } from '../../output/fit-text.ts';
import { type Style, wrapLines, wrapText } from '../../output/output.ts';
import { ownCommand } from '../../output/own-command.ts';
import { type Answer, DemoClient } from './demo-client.ts';

/** The simulated node, inspected directly instead of over SSH. */
export interface Stage {
  readonly port: number;
  /** The number of processes of container 101 that have the text in their arguments. */
  count(text: string): number;
}

export interface Screen {
  print(text: string): Promise<void>;
  readonly style: Style;
  /** Line width in characters. */
  readonly width: number;
}

interface Step {
  /** The request of a user. */
  readonly ask: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The part of the result to print; by default its text. */
  readonly shown?: (answer: Answer) => string;
  /** A remark below the result. */
  readonly note?: (answer: Answer) => string;
}

/** Runs the tour with a real client. */
export async function show(
  stage: Stage,
  settings: Record<string, string>,
  configFile: string,
  screen: Screen,
): Promise<void> {
  const { print, style, width } = screen;
  const directory = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-demo-'));
  const since = performance.now();
  try {
    await writeFile(path.join(directory, 'maintenance.html'), '<h1>Back in five minutes</h1>\n');
    const client = await DemoClient.start({ ...settings, TRANSFER_DIRS: directory }, configFile);
    await print(
      `${style.bold('proxmox-mcp demo')}\n${wrapLines(`A real MCP client, the real server, a real SSH connection to 127.0.0.1:${stage.port}. Only the Proxmox node is simulated.`, width)}\n`,
    );
    try {
      for (const [index, step] of steps(stage).entries()) await take(client, step, index + 1, screen);
    } finally {
      await client.close();
    }
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    const command = ownCommand();
    await print(
      `\n${style.dim(`Done in ${seconds} s. Nothing was kept.`)}\nUse the simulated node:  ${style.bold(`${command} demo --serve`)}\nSet up your own node:    ${style.bold(`${command} init`)}\n`,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function steps(stage: Stage): Step[] {
  const ct = (command: string, more: object = {}) => ({ vmid: 101, command, ...more });
  return [
    { ask: 'What is running in my homelab?', tool: 'list_containers', args: { response_format: 'text' } },
    {
      ask: 'Why do uploads to the shop fail?',
      tool: 'container_exec_command',
      args: ct('df -h /; grep crit /var/log/nginx/error.log'),
    },
    {
      ask: 'Is anything wrong in production?',
      tool: 'inspect_containers',
      args: { tags: ['prod'], sections: ['disk', 'services'] },
    },
    {
      ask: 'Which operating systems are in the containers?',
      tool: 'exec_in_containers',
      args: { name: '*', command: '. /etc/os-release; echo $PRETTY_NAME' },
    },
    {
      ask: 'Put up a maintenance page.',
      tool: 'upload_file_to_container',
      args: {
        vmid: 101,
        local_path: 'maintenance.html',
        container_path: '/var/www/shop/maintenance.html',
        permissions: '644',
      },
      shown: transferLine,
    },
    {
      ask: 'Get me the access log.',
      tool: 'download_file_from_container',
      args: { vmid: 101, container_path: '/var/log/nginx/access.log', local_path: 'access.log' },
      shown: transferLine,
    },
    {
      ask: 'Run updates in container 104.',
      tool: 'container_exec_command',
      args: { vmid: 104, command: 'apt upgrade' },
      shown: failureLines,
    },
    {
      ask: 'Reboot the node.',
      tool: 'host_exec_command',
      args: { command: 'reboot' },
      shown: failureLines,
      note: () => 'Commands on the node itself are refused unless the operator allows them.',
    },
    {
      ask: 'Run a command that hangs and leaves a detached child, with a two-second timeout.',
      tool: 'container_exec_command',
      args: ct("trap '' TERM; setsid sleep 600 & sleep 600", { timeout: 2 }),
      shown: failureLines,
      note: () => {
        const left = stage.count('sleep 600');
        return `Checked on the node itself: ${left} of its processes are left.`;
      },
    },
  ];
}

async function take(
  client: DemoClient,
  step: Step,
  number: number,
  { print, style, width }: Screen,
): Promise<void> {
  const args = Object.entries(step.args).filter(([name]) => name !== 'response_format');
  const shownArgs = args.map(([name, value]) => `${name}=${String(value)}`);
  const [first = '', ...more] = wrapText([step.tool, ...shownArgs].join(' '), width - 5);
  const called = [`   ${style.yellow('→')} ${first}`, ...more.map((line) => `     ${line}`)].join('\n');
  const [ask = '', ...rest] = wrapText(step.ask, width - 3);
  const heading = [`${number}  ${ask}`, ...rest.map((line) => `   ${line}`)].map(style.bold).join('\n');
  await print(`\n${heading}\n${called}\n`);
  const answer = await client.call(step.tool, step.args);
  const mark = answer.isError ? style.red('✗') : style.green('✓');
  await print(`   ${mark} ${style.dim(`${answer.ms} ms`)}\n${indented((step.shown ?? bare)(answer), width)}`);
  if (step.note) await print(indented(step.note(answer), width, style.bold));
}

/** Indents a text, and fits it to the width. */
function indented(text: string, width: number, paint = (line: string): string => line): string {
  return fitText(text.trimEnd(), width - 5)
    .split('\n')
    .map((line) => (line === '' ? '\n' : `     ${paint(line)}\n`))
    .join('');
}

/** The stdout of a command, otherwise the text. */
function bare({ text, data }: Answer): string {
  return typeof data.stdout === 'string' ? data.stdout : text;
}

function transferLine({ data, isError, text }: Answer): string {
  if (isError) return text;
  const sha256 = String(data.sha256 ?? '');
  return `${String(data.bytes_transferred)} bytes, SHA-256 verified: ${sha256.slice(0, 16)}…`;
}

function failureLines({ data, text }: Answer): string {
  if (typeof data.error !== 'string') return text;
  return `${String(data.code)}: ${data.error}\n${String(data.suggestion ?? '')}`;
}
