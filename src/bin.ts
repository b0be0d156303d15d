#!/usr/bin/env node
import { main } from './cli/main.ts';

// Without a listener, SIGUSR1 starts the Node.js inspector, which every user of this machine could connect to.
process.on('SIGUSR1', () => {});

void main(process.argv.slice(2));
