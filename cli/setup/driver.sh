#!/bin/sh
# Sees to a Vulkan driver that Dawn can use: that of a GPU, or else the software adapter (lavapipe, Mesa 25 or
# newer). With one of them there nothing happens; as root on Debian and Ubuntu it is installed; elsewhere the
# commands to run are printed. Exits 7 where there is still none.
#
# `--advice` installs nothing: it prints what is missing and the commands (`unetc doctor` asks so).
# UNETC_SETUP_ROOT puts a folder before every system path that is looked at, and implies `--advice` (tests).
set -eu

root=${UNETC_SETUP_ROOT:-}
advise=$root
[ "${1:-}" != --advice ] || advise=1
needed_mesa=25
# What the Vulkan loader would take instead of the installed drivers.
chosen=${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-}}

say() { printf 'set-up: %s\n' "$*" >&2; }

# macOS has Metal and Windows has D3D12: Dawn brings what it needs.
[ "${UNETC_SETUP_UNAME:-$(uname -s)}" = Linux ] || exit 0

# The folders where the Vulkan loader looks for drivers.
icd_folders() {
  printf '%s\n' "$root/etc/vulkan/icd.d" "$root/usr/local/etc/vulkan/icd.d" \
    "$root/usr/local/share/vulkan/icd.d" "$root/usr/share/vulkan/icd.d" "$root/usr/local/nvidia/share/vulkan/icd.d"
  [ -n "$root" ] || printf '%s\n' "${XDG_DATA_HOME:-${HOME:-}/.local/share}/vulkan/icd.d"
}

# has_icd NAME...: whether a driver manifest of one of these names is installed.
has_icd() {
  for name in "$@"; do
    for folder in $(icd_folders); do
      for file in "$folder/$name"*.json; do
        [ ! -e "$file" ] || return 0
      done
    done
  done
  return 1
}

# library NAME: the path of a shared library in the usual folders.
library() {
  for file in "$root"/usr/lib/*-linux-gnu/"$1" "$root"/usr/lib64/"$1" "$root"/usr/lib/"$1" "$root"/lib/*-linux-gnu/"$1" \
    "$root"/lib64/"$1" "$root"/usr/local/lib/"$1"; do
    if [ -e "$file" ]; then
      printf '%s\n' "$file"
      return 0
    fi
  done
  return 1
}

has_loader() {
  library libvulkan.so.1 >/dev/null && return 0
  [ -z "$root" ] && { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q 'libvulkan\.so\.1'
}

# Prints the name of a GPU whose kernel driver and Vulkan driver are both there and may be used.
gpu() {
  if { [ -e "$root/dev/nvidiactl" ] || [ -e "$root/proc/driver/nvidia/version" ]; } && has_icd nvidia; then
    printf 'NVIDIA\n'
    return 0
  fi
  for node in "$root"/dev/dri/renderD*; do
    [ -r "$node" ] && [ -w "$node" ] || continue
    kernel=$(readlink "$root/sys/class/drm/$(basename "$node")/device/driver" 2>/dev/null) || continue
    kernel=$(basename "$kernel")
    case $kernel in
      amdgpu | radeon) icds='radeon amd' ;;
      i915 | xe) icds='intel' ;;
      nvidia*) icds='nvidia' ;;
      nouveau) icds='nouveau' ;;
      asahi) icds='asahi' ;;
      msm*) icds='freedreno' ;;
      panfrost | panthor) icds='panfrost' ;;
      v3d | vc4) icds='broadcom' ;;
      virtio_gpu | virtio-pci) icds='virtio gfxstream' ;;
      *) icds='' ;;
    esac
    # shellcheck disable=SC2086  # a list of names
    if [ -n "$icds" ] && has_icd $icds; then
      printf '%s\n' "$kernel"
      return 0
    fi
  done
  return 1
}

# Prints the Mesa version of the installed software adapter, as 25.0.7.
lavapipe() {
  has_icd lvp_icd || return 1
  file=$(library libvulkan_lvp.so) || return 1
  grep -aoE 'Mesa [0-9]+\.[0-9]+\.[0-9]+' "$file" | head -n 1 | cut -d ' ' -f 2
}

# Succeeds where Dawn will find an adapter; else `why` says what is missing.
why=''
usable() {
  if ! has_loader; then
    why='the Vulkan loader (libvulkan.so.1) is missing'
    return 1
  fi
  # A driver that was chosen by hand is the caller's decision.
  if [ -n "$chosen" ]; then
    for file in $(printf '%s' "$chosen" | tr ':' ' '); do
      if [ -e "$file" ]; then return 0; fi
    done
    say "VK_DRIVER_FILES names no file that exists ($chosen); correct it, or unset it to use what is installed"
    exit 7
  fi
  if gpu >/dev/null; then return 0; fi
  if ! version=$(lavapipe) || [ -z "$version" ]; then
    why='no Vulkan driver is installed'
    return 1
  fi
  if [ "${version%%.*}" -lt "$needed_mesa" ]; then
    why="the software Vulkan driver is Mesa $version; Dawn needs Mesa $needed_mesa or newer"
    return 1
  fi
}

if usable; then exit 0; fi
say "$why"

# What the system is called: Debian and Ubuntu by their code names, others by their package manager.
ID='' ID_LIKE='' VERSION_CODENAME='' PRETTY_NAME='' UBUNTU_CODENAME='' DEBIAN_CODENAME=''
if [ -r "$root/etc/os-release" ]; then
  # shellcheck disable=SC1091
  . "$root/etc/os-release"
fi
codename=${UBUNTU_CODENAME:-${DEBIAN_CODENAME:-$VERSION_CODENAME}}
family=other
for id in $ID $ID_LIKE; do
  case $id in
    debian | ubuntu) family=apt && break ;;
    fedora | rhel) family=dnf && break ;;
    arch) family=pacman && break ;;
    suse | opensuse*) family=zypper && break ;;
    alpine) family=alpine && break ;;
  esac
done

backports_file=/etc/apt/sources.list.d/bookworm-backports.sources

has_backports() {
  for file in "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*.list "$root"/etc/apt/sources.list.d/*.sources; do
    if [ -r "$file" ] && grep -v '^ *#' "$file" | grep -q 'bookworm-backports'; then return 0; fi
  done
  return 1
}

# The mirror that this system takes Debian from.
debian_mirror() {
  uri=''
  if [ -z "$root" ]; then
    uri=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
      sed -n 's/^bookworm \(.*[^/]\)\/*$/\1/p' | head -n 1) || uri=''
  fi
  printf '%s\n' "${uri:-http://deb.debian.org/debian}"
}

backports_source() {
  printf '%s\n' 'Types: deb' "URIs: $(debian_mirror)" 'Suites: bookworm-backports' 'Components: main'
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ ! -e "$keyring" ] || printf 'Signed-By: %s\n' "$keyring"
}

target=''
[ "$codename" != bookworm ] || target='-t bookworm-backports '
install="install -y --no-install-recommends ${target}mesa-vulkan-drivers libvulkan1"

# advice SUDO: prints what a person has to run, each command after SUDO.
advice() {
  case $family in
    apt)
      if [ -n "$target" ] && ! has_backports; then
        printf "echo 'deb http://deb.debian.org/debian bookworm-backports main' | %stee /etc/apt/sources.list.d/bookworm-backports.list\n" "$1"
      fi
      printf '%sapt-get update\n%sapt-get %s\n' "$1" "$1" "$install"
      ;;
    dnf) printf '%sdnf install -y mesa-vulkan-drivers vulkan-loader\n' "$1" ;;
    pacman) printf '%spacman -S --needed vulkan-swrast vulkan-icd-loader\n' "$1" ;;
    zypper) printf '%szypper install -y libvulkan_lvp libvulkan1 Mesa-vulkan-device-select\n' "$1" ;;
    alpine) printf 'Dawn is built for glibc and does not run on musl: use a Debian, Ubuntu or Fedora system or container.\n' ;;
    other) printf 'Install the Vulkan loader (libvulkan.so.1) and a Vulkan driver: that of the GPU, or lavapipe of Mesa %s or newer.\n' "$needed_mesa" ;;
  esac
}

refuse() {
  say "$1"
  advice "$2" | sed 's/^/    /' >&2
  exit 7
}

uid=${UNETC_SETUP_UID:-$(id -u)}
if [ "$family" != apt ]; then refuse "on ${PRETTY_NAME:-this system}:" 'sudo '; fi
if [ "$uid" -ne 0 ]; then refuse 'it takes root to install it; run these, then start again:' 'sudo '; fi
if [ -n "$advise" ]; then refuse 'to install it, run:' ''; fi

say "installing the software adapter: mesa-vulkan-drivers${target:+ from bookworm-backports}, about 60 MB"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
options='-q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0'
if [ -n "$target" ] && ! has_backports; then
  backports_source >"$backports_file"
  chmod 644 "$backports_file"
fi
# An update that fails for one source of many need not matter: whether the package comes decides.
# shellcheck disable=SC2086  # lists of words
if ! { apt-get $options update || :; apt-get $options $install; } >"$log" 2>&1 </dev/null; then
  tail -n 25 "$log" >&2
  refuse 'apt-get failed (its last lines are above); try by hand:' ''
fi
if ! usable; then
  say "$why, also after the installation"
  say "${PRETTY_NAME:-this system} has no newer one; use Debian 12 or newer, or Ubuntu 24.04 or newer"
  exit 7
fi
say 'the software adapter is installed'
