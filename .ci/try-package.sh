#!/usr/bin/env bash
# Tries a packed package as whoever installs it would: in an empty folder, by its commands and its entries alone.
#
#   .ci/try-package.sh FILE.tgz
#
# Draws two digits, so that an adapter is needed (`npm run setup` installs the software one where there is none).
set -euo pipefail

package=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm init -y >/dev/null
npm install --loglevel=error "$package"
graphs=node_modules/unetc/graphs

npx --no-install unetc --version
npx --no-install unetc validate "$graphs/mnist.json"
npx --no-install unetc compile "$graphs/mnist.json" -o bundle --types
npx --no-install unetc sample bundle --weights "$graphs/mnist.safetensors" --seeds 0-1 --steps ddim5 --class 3 -o digits
test -s digits/contact-sheet.png

# every entry of the package can be imported by its name
node --input-type=module -e '
import { readFileSync } from "node:fs";
const { exports } = JSON.parse(readFileSync("node_modules/unetc/package.json", "utf8"));
for (const [entry, target] of Object.entries(exports)) {
  const name = `unetc${entry.slice(1)}`;
  if (typeof target === "string") readFileSync(new URL(import.meta.resolve(name)));
  else if (Object.keys(await import(name)).length === 0) throw new Error(`${name} exports nothing`);
  console.log(`${name}: ok`);
}'
echo "$(basename "$package") works where it was installed"
