#!/usr/bin/env node
// Starts main.js; compiled already, where the V8 that compiled it is the one that runs it.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const main = path.join(__dirname, 'main.js');

function compiled() {
  try {
    const cachedData = fs.readFileSync(path.join(__dirname, 'main.cache'));
    const { Script } = require('node:vm');
    const { wrap } = require('node:module');
    const script = new Script(wrap(fs.readFileSync(main, 'utf8')), { filename: main, cachedData });
    return script.cachedDataRejected ? undefined : script;
  } catch {
    return undefined;
  }
}

const script = compiled();
if (script === undefined) {
  require(main);
} else {
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, main, __dirname);
}
