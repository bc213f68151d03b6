#!/bin/sh
# Sees to Fashion-MNIST, which `npm run demo:train` trains on, and prints the folder of its four files. With them there
# nothing happens; as root on Debian and Ubuntu the package dataset-fashion-mnist (30 MB) is installed; elsewhere it is said
# how to get it. Exits 5 where it is not there.
#
# UNETC_FASHION_MNIST names a folder that has them. UNETC_SETUP_ROOT puts a folder before every system path that is looked
# at, and nothing is installed then (tests).
set -eu

root=${UNETC_SETUP_ROOT:-}
packaged=$root/usr/share/datasets/fashion-mnist
folder=${UNETC_FASHION_MNIST:-$packaged}

say() { printf 'set-up: %s\n' "$*" >&2; }

# Names a file that is missing, or nothing.
missing() {
  for name in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
    if ! [ -e "$folder/$name.gz" ] && ! [ -e "$folder/$name" ]; then
      printf '%s\n' "$name.gz"
      return
    fi
  done
}

refuse() {
  say "$1"
  cat >&2 <<'ADVICE'
    on Debian and Ubuntu: sudo apt-get install dataset-fashion-mnist
    elsewhere: put the four .gz files of https://github.com/zalandoresearch/fashion-mnist in a folder, and start again
    with UNETC_FASHION_MNIST=FOLDER
ADVICE
  exit 5
}

lacks=$(missing)
if [ -n "$lacks" ]; then
  [ -z "${UNETC_FASHION_MNIST:-}" ] || refuse "$folder (UNETC_FASHION_MNIST) has no $lacks"
  [ -z "$root" ] && command -v apt-get >/dev/null 2>&1 || refuse "Fashion-MNIST is missing: there is no $folder/$lacks"
  [ "$(id -u)" -eq 0 ] || refuse "Fashion-MNIST is missing, and it takes root to install it"
  say 'installing dataset-fashion-mnist, 30 MB'
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  export DEBIAN_FRONTEND=noninteractive
  options='-q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0'
  # An update that fails for one source of many need not matter: whether the package comes decides.
  # shellcheck disable=SC2086  # a list of words
  if ! { apt-get $options update || :; apt-get $options install -y --no-install-recommends dataset-fashion-mnist; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 25 "$log" >&2
    refuse 'apt-get failed (its last lines are above)'
  fi
  lacks=$(missing)
  [ -z "$lacks" ] || refuse "the package has come without $lacks"
fi
printf '%s\n' "$folder"
