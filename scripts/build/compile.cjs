// Runs DIST/main.js and stores the compiled code in DIST/main.cache at exit. It must wrap the source exactly as bin.cjs does.
'use strict';
const fs = require('node:fs');
const { createRequire, wrap } = require('node:module');
const path = require('node:path');
const { Script } = require('node:vm');

const dist = process.argv[2];
const main = path.join(dist, 'main.js');
process.argv.splice(2);
const cache = path.join(dist, 'main.cache');
const cachedData = fs.existsSync(cache) ? fs.readFileSync(cache) : undefined;
const script = new Script(wrap(fs.readFileSync(main, 'latin1')), { filename: main, cachedData });
process.on('exit', () => fs.writeFileSync(cache, script.createCachedData()));
const module_ = { exports: {} };
script.runInThisContext()(module_.exports, createRequire(main), module_, main, dist);
