import { share } from '../scenario.ts';
import type { Guest } from './guest.ts';

/** The commonly used files of /proc. */
export class ProcFiles {
  readonly #guest: Guest;

  constructor(guest: Guest) {
    this.#guest = guest;
  }

  install(): void {
    const { files } = this.#guest;
    files.generate('/proc/meminfo', () => this.meminfo());
    files.generate('/proc/uptime', () => `${this.uptime().toFixed(2)} ${(this.uptime() * 1.6).toFixed(2)}\n`);
    files.generate('/proc/loadavg', () => '0.12 0.09 0.05 1/112 4711\n');
    files.generate('/proc/mounts', () => `${this.#guest.volume.device} / ext4 rw,relatime 0 0\n`);
    files.generate('/proc/sys/vm/swappiness', () => '60\n', 0o644);
    files.generate('/proc/cpuinfo', () =>
      Array.from(
        { length: this.#guest.scenario.cores },
        (_, i) => `processor\t: ${i}\nmodel name\t: Simulated CPU\n\n`,
      ).join(''),
    );
  }

  uptime(): number {
    return (Date.now() - this.#guest.bootedAt.getTime()) / 1000;
  }

  meminfo(): string {
    const { total, used } = memoryOf(this.#guest);
    const line = (name: string, bytes: number) =>
      `${`${name}:`.padEnd(16)}${String(Math.round(bytes / 1024)).padStart(9)} kB\n`;
    return [
      line('MemTotal', total),
      line('MemFree', (total - used) * 0.7),
      line('MemAvailable', total - used),
      line('Cached', (total - used) * 0.3),
      line('SwapTotal', 512 * 1024 ** 2),
      line('SwapFree', 512 * 1024 ** 2),
    ].join('');
  }
}

export function memoryOf({ scenario, running }: Guest): { total: number; used: number } {
  return { total: scenario.memory, used: running ? share(scenario.memoryUsed, scenario.memory) : 0 };
}
