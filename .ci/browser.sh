#!/bin/sh
# Sees to a browser for the tests of pages and pictures, where continuous integration runs as root on Debian: Chromium is
# installed, 113 MB of packages. With a browser there nothing happens. Everywhere else nothing is installed, least of all for
# who only runs the program: the tests that need a browser leave themselves out, and it is said so.
#
# UNETC_SETUP_ROOT puts a folder before the system's path that is looked at (tests).
set -eu

say() { printf 'set-up: %s\n' "$*" >&2; }

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done

# Ubuntu's package of this name is a stub of snap, which no container has.
ID=''
if [ -r "${UNETC_SETUP_ROOT:-}/etc/os-release" ]; then
  # shellcheck disable=SC1091
  . "${UNETC_SETUP_ROOT:-}/etc/os-release"
fi
without='tests of pages in a browser are left out'
if [ -z "${CI:-}" ] || [ "$CI" = false ] || [ "$ID" != debian ] || [ "$(id -u)" -ne 0 ]; then
  say "there is no Chromium or Chrome: $without"
  exit 0
fi

say 'installing chromium for the tests of pages, 113 MB'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
options='-q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0'
# An update that fails for one source of many need not matter: whether the package comes decides.
# shellcheck disable=SC2086  # a list of words
if ! { apt-get $options update || :; apt-get $options install -y --no-install-recommends chromium; } \
  >"$log" 2>&1 </dev/null; then
  tail -n 25 "$log" >&2
  say "apt-get failed (its last lines are above): $without"
  exit 0
fi
command -v chromium >/dev/null 2>&1 || say "the package has come without a chromium: $without"
