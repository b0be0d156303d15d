import { cancelJob } from './cancel-job.ts';
import { clusterStatus } from './cluster-status.ts';
import { containerExecCommand } from './container-exec-command.ts';
import { containerStatus } from './container-status.ts';
import { copyFile } from './copy-file.ts';
import { downloadFileFromContainer } from './download-file-from-container.ts';
import { downloadFileFromHost } from './download-file-from-host.ts';
import { editFile } from './edit-file.ts';
import { execInContainers } from './exec-in-containers.ts';
import { getJob } from './get-job.ts';
import { hostExecCommand } from './host-exec-command.ts';
import { inspectContainers } from './inspect-containers.ts';
import { listContainers } from './list-containers.ts';
import { listJobs } from './list-jobs.ts';
import { readFile } from './read-file.ts';
import { readLogs } from './read-logs.ts';
import { startContainer } from './start-container.ts';
import { stopContainer } from './stop-container.ts';
import type { Tool } from './tool.ts';
import { uploadFileToContainer } from './upload-file-to-container.ts';
import { uploadFileToHost } from './upload-file-to-host.ts';

/** All tools in the order of tools/list, which is constant so that clients can cache it. */
export const TOOLS: readonly Tool[] = [
  containerExecCommand,
  listContainers,
  containerStatus,
  clusterStatus,
  startContainer,
  stopContainer,
  downloadFileFromContainer,
  uploadFileToContainer,
  downloadFileFromHost,
  uploadFileToHost,
  hostExecCommand,
  inspectContainers,
  readLogs,
  execInContainers,
  readFile,
  editFile,
  copyFile,
  getJob,
  listJobs,
  cancelJob,
];
