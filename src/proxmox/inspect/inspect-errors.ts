import { AppError } from '../../lib/errors.ts';
import type { ScriptOutput } from '../../remote/remote-shell.ts';
import type { Survivor } from '../../remote/remote-types.ts';

export function notRunning(vmid: number, state: string): AppError {
  if (state === 'STOPPED') {
    return new AppError(
      'CONTAINER_NOT_RUNNING',
      `Container ${vmid} is stopped.`,
      'Start it with proxmox_start_container.',
    );
  }
  return new AppError(
    'ATTACH_FAILED',
    `The state of container ${vmid} could not be read with lxc-info.`,
    'Check the container with proxmox_container_status.',
  );
}

export function notInspected(vmid: number, { ended, stderr }: ScriptOutput): AppError {
  if (ended === 'timeout') return outOfTime(vmid);
  return new AppError(
    'EXIT_UNKNOWN',
    `The script that inspects containers did not report on container ${vmid}.`,
    'Call again. If it fails again, check the load and the free memory of the node.',
    stderr === '' ? {} : { stderr },
  );
}

export function outOfTime(vmid: number): AppError {
  return new AppError(
    'TIMEOUT',
    `There was no time left to inspect container ${vmid}.`,
    'Call again with fewer containers or fewer sections.',
  );
}

export function cancelled(survivors: readonly Survivor[] | null): AppError {
  const left = survivors?.length === 0 ? '' : ' Processes of the inspection may still be running.';
  return new AppError(
    'CANCELLED',
    `The call was cancelled. It changed nothing.${left}`,
    'Call again if the result is still needed.',
  );
}
