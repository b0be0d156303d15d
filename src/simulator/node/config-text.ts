import type { ContainerScenario } from '../scenario.ts';

/** The keys of the current configuration: up to the first section. */
export function configKeys(text: string): Map<string, string> {
  const keys = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) break;
    const match = /^([a-z][a-z_]*\d*):\s*(.*?)\s*$/.exec(line);
    if (match) keys.set(match[1] ?? '', match[2] ?? '');
  }
  return keys;
}

/** One key of the current configuration; cheaper than all of them. */
export function configKey(text: string, key: string): string | undefined {
  const section = text.indexOf('\n[');
  const current = section < 0 ? text : text.slice(0, section);
  return new RegExp(`^${key}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(current)?.[1];
}

/** Sets a key of the current configuration; undefined removes it. */
export function withKey(text: string, key: string, value: string | undefined): string {
  const lines = text.split('\n');
  const section = lines.findIndex((line) => line.startsWith('['));
  const current = (section < 0 ? lines : lines.slice(0, section)).filter(
    (line) => !line.startsWith(`${key}:`),
  );
  const rest = section < 0 ? [] : lines.slice(section);
  while (current.at(-1) === '') current.pop();
  if (value !== undefined) current.push(`${key}: ${value}`);
  return [...current, ...(rest.length > 0 ? ['', ...rest] : ['']), ''].join('\n').replace(/\n+$/, '\n');
}

/** The configuration of a new container. */
export function configText(vmid: number, container: ContainerScenario): string {
  const encode = (line: string) => encodeURIComponent(line).replaceAll('%20', ' ');
  const lines =
    container.description === ''
      ? []
      : container.description
          .trimEnd()
          .split('\n')
          .map((line) => `#${encode(line)}`);
  const add = (key: string, value: string | number | undefined) => {
    if (value !== undefined && value !== '') lines.push(`${key}: ${value}`);
  };
  add('arch', 'amd64');
  add('cores', container.cores);
  add('hostname', container.name);
  add('lock', container.lock);
  add('memory', Math.round(container.memory / 1024 ** 2));
  add(
    'net0',
    `name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:${(vmid % 256).toString(16).padStart(2, '0').toUpperCase()},ip=${container.ip === undefined ? 'dhcp' : `${container.ip}/24`},type=veth`,
  );
  add('ostype', container.flavour === 'none' ? 'unmanaged' : container.flavour);
  add('rootfs', `local-lvm:vm-${vmid}-disk-0,size=${Math.round(container.disk.size / 1024 ** 3)}G`);
  add('swap', 512);
  add('tags', container.tags.join(';'));
  add('template', container.template ? 1 : undefined);
  add('unprivileged', 1);
  for (const [name, { time, description }] of Object.entries(container.snapshots)) {
    lines.push(
      '',
      `[${name}]`,
      ...(description === '' ? [] : [`#${encode(description)}`]),
      `hostname: ${container.name}`,
      `snaptime: ${time}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
