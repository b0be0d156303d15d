import type { Case } from './cases.ts';
import { COPY_CASES } from './copy-cases.ts';
import { DOWNLOAD_CASES } from './download-cases.ts';
import { EDIT_FILE_CASES } from './edit-file-cases.ts';
import { EXEC_CASES } from './exec-cases.ts';
import { INSPECT_CONTAINER_CASES } from './inspect-container-cases.ts';
import { INSPECT_NODE_CASES } from './inspect-node-cases.ts';
import { JOB_CASES } from './job-cases.ts';
import { KILL_CASES } from './kill-cases.ts';
import { LIMITS_CASES } from './limits-cases.ts';
import { AUTHORIZED_KEYS_CASES, INVENTORY_CASES, PROBE_CASES } from './node-cases.ts';
import { OWN_CONTAINER_CASES } from './own-container-cases.ts';
import { PRECONDITION_CASES } from './precondition-cases.ts';
import { READ_FILE_CASES } from './read-file-cases.ts';
import { READ_LOG_CASES } from './read-log-cases.ts';
import { READ_MANY_LOGS_CASES } from './read-many-logs-cases.ts';
import { START_CLAIM_CASES } from './start-claim-cases.ts';
import { UPLOAD_CASES } from './upload-cases.ts';
import { UPLOAD_REFUSAL_CASES } from './upload-refusal-cases.ts';
import { WARM_CGROUP_CASES } from './warm-cgroup-cases.ts';

export type GroupName =
  | 'authorizedKeys'
  | 'copy'
  | 'download'
  | 'editFile'
  | 'exec'
  | 'inspectContainer'
  | 'inspectNode'
  | 'inventory'
  | 'job'
  | 'kill'
  | 'limits'
  | 'ownContainer'
  | 'precondition'
  | 'probe'
  | 'readFile'
  | 'readLog'
  | 'startClaim'
  | 'upload'
  | 'warmCgroup';

/** All cases by the script that they check. */
export const GROUPS: Readonly<Record<GroupName, readonly Case[]>> = {
  authorizedKeys: AUTHORIZED_KEYS_CASES,
  copy: COPY_CASES,
  download: DOWNLOAD_CASES,
  editFile: EDIT_FILE_CASES,
  exec: EXEC_CASES,
  inspectContainer: INSPECT_CONTAINER_CASES,
  inspectNode: INSPECT_NODE_CASES,
  inventory: INVENTORY_CASES,
  job: JOB_CASES,
  kill: KILL_CASES,
  limits: LIMITS_CASES,
  ownContainer: OWN_CONTAINER_CASES,
  precondition: PRECONDITION_CASES,
  probe: PROBE_CASES,
  readFile: READ_FILE_CASES,
  readLog: [...READ_LOG_CASES, ...READ_MANY_LOGS_CASES],
  startClaim: START_CLAIM_CASES,
  upload: [...UPLOAD_CASES, ...UPLOAD_REFUSAL_CASES],
  warmCgroup: WARM_CGROUP_CASES,
};
