#!/bin/sh
# Makes a fresh clone ready: packages, build, Vulkan driver. Runs before `npm test` and `npm run demo`;
# what is there already is left alone, so that a second run costs a fraction of a second.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'set-up: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# 1. Node. The build and Dawn's binary need 20.19; later majors are fine.
command -v node >/dev/null 2>&1 || fail 'Node.js is missing; install version 20.19 or newer from https://nodejs.org'
node=$(node --version)
major=${node#v} && major=${major%%.*}
minor=${node#v*.} && minor=${minor%%.*}
if [ "$major" -lt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -lt 19 ]; }; then
  fail "Node.js $node is too old; install version 20.19 or newer from https://nodejs.org"
fi

# 2. The driver first: where it cannot be had, nobody should wait for packages to learn it.
sh cli/setup/driver.sh

# 3. Packages, exactly those of package-lock.json. npm writes its own copy of the lock file when it is done.
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ] || [ ! -e node_modules/typescript ]; then
  say 'installing packages (npm ci)'
  # --include=dev: NODE_ENV=production would leave the compiler of this project out.
  npm ci --include=dev --loglevel=error || {
    say 'npm ci failed; once more'
    npm ci --include=dev --loglevel=error || fail 'npm ci failed twice; see its messages above'
  }
fi

# 4. The build, where a source (or a folder, after a deletion) is newer than the last one.
stamp=dist/.stamp
if [ ! -e "$stamp" ] ||
  [ -n "$(find cli compiler engine runtime web tsconfig.json tsconfig.build.json rolldown.config.mjs package-lock.json \
    -newer "$stamp" | head -n 1)" ]; then
  say 'building'
  sh cli/setup/build.sh || fail 'the build failed; see the messages above'
fi
