import { readFileSync } from 'node:fs';

/** Texts of the scripts by file name, defined by the build. */
declare const REMOTE_SCRIPTS: Readonly<Record<string, string>> | undefined;

/**
 * The POSIX sh scripts that run on a node or in a container, one per `.sh` file of this folder. Scripts get values as
 * $1, $2, …, never inserted into their text. Comments are not sent.
 */
export const SCRIPTS = {
  addresses: load('network-tables', 'addresses'),
  addAuthorizedKey: load('authorized-keys-add'),
  claimStart: load('claim-start'),
  clusterStatus: load('cluster-status'),
  copy: load('copy'),
  download: load('transfer-prelude', 'download'),
  editFile: load('transfer-prelude', 'receive-prelude', 'edit-file'),
  exec: load('exec'),
  haState: load('ha-state'),
  hostKeys: load('host-keys'),
  inspectContainer: load('inspect-container'),
  /** The precondition of each container is a function of it. */
  inspectNode: `check() {\n${load('precondition')}}\n${load('network-tables', 'inspect-node')}`,
  inventory: load('inventory'),
  inventoryWithNetworks: load('network-tables', 'container-networks', 'inventory'),
  jobCancel: load('job-prelude', 'job-cancel', 'kill', 'job-cancelled'),
  jobClaim: load('job-claim'),
  jobList: load('job-prelude', 'job-look', 'job-list'),
  jobMatch: load('job-prelude', 'job-look', 'job-match'),
  jobRead: load('job-prelude', 'job-look', 'job-read'),
  jobRun: load('job-run'),
  jobStart: load('job-prelude', 'job-start'),
  kill: load('kill'),
  limits: load('limits'),
  members: load('members'),
  ownContainer: load('own-container'),
  precondition: load('precondition'),
  probe: load('probe'),
  readFile: load('transfer-prelude', 'read-file'),
  receiveTree: load('transfer-prelude', 'receive-prelude', 'tree-prelude', 'receive-tree'),
  readLog: load('read-log'),
  removeAuthorizedKey: load('authorized-keys-remove'),
  removeBeside: load('remove-beside'),
  removeClaims: load('remove-claims'),
  runState: load('run-state'),
  running: load('running'),
  runningWithNetworks: load('network-tables', 'container-networks', 'running'),
  sendFile: load('report-on-stderr', 'transfer-prelude', 'send-file'),
  sendTree: load('report-on-stderr', 'transfer-prelude', 'tree-prelude', 'send-tree'),
  sourceInfo: load('transfer-prelude', 'source-info'),
  sourceTreeInfo: load('transfer-prelude', 'tree-prelude', 'source-tree-info'),
  upload: load('transfer-prelude', 'receive-prelude', 'upload'),
  warmCgroup: load('warm-cgroup'),
};

function load(...names: string[]): string {
  return names.map((name) => withoutComments(readScript(name))).join('');
}

/** The text that the build inlined, or the content of the file if the server runs from its sources. */
function readScript(name: string): string {
  if (typeof REMOTE_SCRIPTS === 'object') return REMOTE_SCRIPTS[name] ?? '';
  return readFileSync(new URL(`./${name}.sh`, import.meta.url), 'utf8');
}

/** Removes comment lines, because the script is sent with each call. */
function withoutComments(script: string): string {
  return script.replaceAll(/^\s*#.*\n/gm, '');
}
