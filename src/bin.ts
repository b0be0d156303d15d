#!/usr/bin/env node
import { main } from './cli/main.ts';

// Without a listener, SIGUSR1 opens Node's inspector, to which any user of this machine may attach.
process.on('SIGUSR1', () => {});

void main(process.argv.slice(2));
