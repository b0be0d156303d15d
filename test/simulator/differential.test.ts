import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ScriptHost } from '../../src/simulator/script-host.ts';
import { generateScript } from './generate.ts';

/** 500 scripts take some seconds; 2,000 with another SHELL_SCRIPTS_FROM find more. */
const COUNT = Number(process.env.SHELL_SCRIPTS ?? 500);
const FIRST_SEED = Number(process.env.SHELL_SCRIPTS_FROM ?? 1);
const DASH = '/usr/bin/dash';

interface Outcome {
  readonly stdout: string;
  readonly code: number | null;
}

function onDash(script: string): Outcome {
  const cwd = mkdtempSync(path.join(tmpdir(), 'differential-'));
  try {
    const { stdout, status } = spawnSync(DASH, ['-c', script, 'sh', 'p1', 'p 2'], {
      cwd,
      env: { PATH: '/usr/bin:/bin', HOME: '/root', LC_ALL: 'C' },
      input: '',
      encoding: 'latin1',
      timeout: 20_000,
    });
    return { stdout, code: status };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

async function onSimulator(script: string): Promise<Outcome> {
  const host = new ScriptHost();
  host.files.makeDirectories('/work');
  const { stdout, code } = await host.run(['dash', '-c', script, 'sh', 'p1', 'p 2'], {
    cwd: '/work',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  });
  return { stdout: Buffer.from(stdout).toString('latin1'), code };
}

test.skipIf(!existsSync(DASH))(
  `${COUNT} generated scripts do on the simulator what they do on dash`,
  async () => {
    const differences: string[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed += 1) {
      const script = generateScript(seed);
      const [real, simulated] = [onDash(script), await onSimulator(script)];
      if (real.code !== simulated.code || real.stdout !== simulated.stdout)
        differences.push(
          `--- seed ${seed}\n${script}dash: ${real.code} ${JSON.stringify(real.stdout)}\nsimulator: ${simulated.code} ${JSON.stringify(simulated.stdout)}`,
        );
    }
    expect(differences.slice(0, 5).join('\n\n')).toBe('');
  },
  600_000,
);
