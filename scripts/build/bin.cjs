#!/usr/bin/env node
// Starts main.js; compiled already, where the V8 that compiled it is the one that runs it. Written in the JavaScript of 2009,
// so that a Node.js of any age can parse this file and say that it is too old: clients start what comes first in their PATH.
'use strict';
var OLDEST = 20;

function start() {
  var main = require('path').join(__dirname, 'main.js');
  var script = compiled(main);
  if (script === undefined) {
    require(main);
    return;
  }
  var module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, main, __dirname);
}

function compiled(main) {
  var fs = require('fs');
  try {
    var cachedData = fs.readFileSync(require('path').join(__dirname, 'main.cache'));
    var Script = require('vm').Script;
    var source = require('module').wrap(fs.readFileSync(main, 'utf8'));
    var script = new Script(source, { filename: main, cachedData: cachedData });
    return script.cachedDataRejected ? undefined : script;
  } catch (_) {
    return undefined;
  }
}

function refuse() {
  process.stderr.write(
    'proxmox-mcp needs Node.js ' +
      OLDEST +
      ' or later, and was started by Node.js ' +
      process.versions.node +
      ' at ' +
      process.execPath +
      ': install a newer one, or name its full path as the command in the configuration of the client.\n'
  );
  // Once what was written has left: pipes take it later on Windows.
  process.on('exit', function () {
    process.exit(1);
  });
}

if (parseInt(process.versions.node, 10) < OLDEST) refuse();
else start();
