import { existsSync } from 'node:fs';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { type ClientApp, clientApps, packagedData } from './clients.ts';

/** The clients that can be set up, with their paths on this machine. */
export function clientsHere(at: HostEnvironment): readonly ClientApp[] {
  return clientApps(at, at.platform === 'win32' && existsSync(packagedData(at)));
}

/** Whether a client has been used on this machine. */
export function isInstalled({ traces }: ClientApp): boolean {
  return traces.some((trace) => existsSync(trace));
}
