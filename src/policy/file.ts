import type { Logger } from '../lib/log.ts';
import type { Policy } from './types.ts';

/** Placeholder until the reader of files lands. */
export async function openPolicyFile(file: string, _protectedTag: string, _logger: Logger): Promise<Policy> {
  throw new Error(`${file} can not be read yet`);
}
