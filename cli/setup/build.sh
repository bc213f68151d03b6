#!/bin/sh
# Builds dist/: types by tsc, which checks them; the program, bundled by rolldown (rolldown.config.mjs); and what it
# reads, at the paths of the sources: the kernels' WGSL, a page's document and style, PyTorch's side of the bench, the script that `unetc doctor`
# asks for advice.
# The new folder takes its place whole, so that a failed build leaves the old one as it was.
set -eu
cd "$(dirname "$0")/../.."

new=out/build.$$
trap 'wait; rm -rf "$new" "$new.old"; rmdir out 2>/dev/null || :' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p "$new"
# Older than every source that is edited while the compiler runs: such a source asks for another build.
: >"$new/.stamp"
# Both at once: no file of one is the other's. What rolldown prints to stdout is a list of chunks.
node_modules/.bin/rolldown -c rolldown.config.mjs --dir "$new" >/dev/null &
bundling=$!
node_modules/.bin/tsc -p tsconfig.build.json --outDir "$new"
wait "$bundling"
find compiler cli web -name '*.wgsl' -o -name '*.py' -o -name '*.html' -o -name '*.css' | while read -r file; do
  mkdir -p "$new/$(dirname "$file")"
  cp "$file" "$new/$file"
done
mkdir -p "$new/cli/setup"
cp cli/setup/driver.sh "$new/cli/setup/"
chmod +x "$new/cli/main.js"

if [ -e dist ]; then mv dist "$new.old"; fi
mv "$new" dist
