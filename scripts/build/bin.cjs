#!/usr/bin/env node
// Starts main.js, with the code in main.cache if the same version of V8 compiled it. Written in ES5, so that every Node.js can
// parse this file and report that it is too old: clients start the first node in their PATH.
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
    var source = require('module').wrap(fs.readFileSync(main, 'latin1'));
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
      ' or later, but was started with Node.js ' +
      process.versions.node +
      ' at ' +
      process.execPath +
      '. Install a newer version, or set its full path as the command in the configuration of the client.\n'
  );
  // Exit when the message has been written: on Windows, writes to pipes are asynchronous.
  process.on('exit', function () {
    process.exit(1);
  });
}

if (parseInt(process.versions.node, 10) < OLDEST) refuse();
else start();
