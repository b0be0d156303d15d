#!/usr/bin/env bash
# Lists the tools of the built server with the official inspector in strict mode, which must report no problem.
# The inspector is installed in a temporary directory, because it has a hundred dependencies.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
server=$PWD/dist/bin.js
names=$(node --import tsx --input-type=module -e '
  import { TOOLS } from "./src/tools/index.ts";
  console.log(TOOLS.map(({ name }) => name).join(" "));
')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-save --no-audit --no-fund @modelcontextprotocol/inspector@2.12.0 >/dev/null
npx --no-install @modelcontextprotocol/inspector --cli -e I_ACCEPT_RISKS=true -e HOST=192.0.2.10 \
  node "$server" --method tools/list --strict >list.json
node -e '
  const { tools } = JSON.parse(require("node:fs").readFileSync("list.json", "utf8"));
  const listed = tools.map(({ name }) => name).join(" ");
  if (listed !== process.argv[1]) throw new Error(`the inspector lists ${listed}`);
  console.log(`the inspector lists ${tools.length} tools without problems`);
' "$names"
