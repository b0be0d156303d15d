import type { Subject } from './policy-types.ts';

/** A call of proxmox_stop_container by the local caller; tests change what they need. */
export const STOP_CALL: Subject = {
  tool: 'proxmox_stop_container',
  target: 'container',
  effect: 'destroy',
  canOverwrite: false,
  canForce: true,
  canExpectName: true,
  vmid: 101,
  command: null,
  overwrite: false,
  force: false,
  expectName: null,
  caller: 'local',
  at: new Date('2026-11-20T12:00:00Z'),
};
