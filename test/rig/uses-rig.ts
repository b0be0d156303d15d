import { readFileSync } from 'node:fs';

/** Whether a test file has suites that use a rig of one node. */
export function usesNode(file: string): boolean {
  return /\bdescribe(?:Rig|Node)\(/.test(readFileSync(file, 'utf8'));
}

/** Whether a test file has suites that use the cluster of the rig. */
export function usesCluster(file: string): boolean {
  return /\bdescribeCluster\(/.test(readFileSync(file, 'utf8'));
}
