import { badParameter, type PctCall, PctError, requireConfig, type Verb } from './pct.ts';
import { checkLock, locked } from './pct-life-cycle.ts';

/** Snapshots as sections of the configuration; what is in the files of a container is not kept. */
export const snapshotVerbs: Readonly<Record<string, Verb>> = {
  listsnapshot: {
    async run({ node, stdout }, vmid) {
      let indent = '';
      const row = async (name: string, date: string, text: string) => {
        await stdout.write(`${indent}\`-> ${name.padEnd(30 - indent.length)} ${date.padEnd(23)} ${text}\n`);
        indent += ' ';
      };
      for (const { name, time, description } of snapshotsOf(requireConfig(node, vmid, 2))) {
        const date = new Date(time * 1000).toISOString().slice(0, 19).replace('T', ' ');
        await row(name, date, description || 'no-description');
      }
      await row('current', '', 'You are here!');
    },
  },
  snapshot: {
    options: { description: 'string' },
    async run(call, vmid) {
      const name = call.positional[0] ?? '';
      if (!/^[A-Za-z][\w-]+$/.test(name))
        throw badParameter(`snapname: invalid format - invalid configuration ID '${name}'`);
      await locked(call, vmid, 255, async () => {
        checkLock(call, vmid);
        const text = requireConfig(call.node, vmid, 255);
        if (snapshotsOf(text).some((each) => each.name === name))
          throw new PctError(255, `snapshot name '${name}' already used`);
        const description =
          call.options.description === undefined ? '' : `#${encodeURIComponent(call.options.description)}\n`;
        const section = `\n[${name}]\n${description}snaptime: ${Math.floor(Date.now() / 1000)}\n`;
        call.node.cluster.writeConfig(call.node.name, vmid, text + section);
      });
    },
  },
  delsnapshot: {
    options: { force: 'flag' },
    async run(call, vmid) {
      const name = call.positional[0] ?? '';
      await withSnapshot(call, vmid, name, async (text) => {
        const sections = text.split(/^(?=\[)/m).filter((section) => !section.startsWith(`[${name}]`));
        call.node.cluster.writeConfig(call.node.name, vmid, sections.join(''));
      });
    },
  },
  rollback: {
    options: { start: 'flag' },
    async run(call, vmid) {
      const name = call.positional[0] ?? '';
      await withSnapshot(call, vmid, name, async () => {
        const guest = call.node.guests.get(vmid);
        guest?.halt();
        if (call.options.start) guest?.boot();
      });
    },
  },
};

/** Does something to a snapshot, which must exist, under the lock of the configuration; `act` gets its text. */
function withSnapshot(
  call: PctCall,
  vmid: number,
  name: string,
  act: (text: string) => Promise<void>,
): Promise<void> {
  return locked(call, vmid, 255, async () => {
    checkLock(call, vmid);
    const text = requireConfig(call.node, vmid, 255);
    if (!snapshotsOf(text).some((each) => each.name === name))
      throw new PctError(255, `snapshot '${name}' does not exist`);
    await act(text);
  });
}

export function snapshotsOf(text: string): { name: string; time: number; description: string }[] {
  return text
    .split(/^\[/m)
    .slice(1)
    .map((section) => ({
      name: section.slice(0, section.indexOf(']')),
      time: Number(/^snaptime:\s*(\d+)/m.exec(section)?.[1] ?? 0),
      description: decodeURIComponent(/^#(.*)$/m.exec(section)?.[1] ?? ''),
    }))
    .sort((a, b) => a.time - b.time);
}
