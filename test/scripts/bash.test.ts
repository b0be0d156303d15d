import { describeShell } from './describe-scripts.ts';

describeShell('bash');
