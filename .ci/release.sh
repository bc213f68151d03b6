#!/usr/bin/env bash
# Releases a version: what is tested is the tarball that is published.
#
#   .ci/release.sh VERSION             tests, packs, tries the package, commits, tags, publishes
#   .ci/release.sh VERSION --dry-run   stops before the commit, and leaves everything as it was but the tarball in out/
#
# CHANGELOG.md must have a section `## VERSION` that is not empty. The commit and the tag are made here; whoever releases
# pushes them when npm has taken the package: `git push --follow-tags`.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'release: %s\n' "$*" >&2; exit 1; }

version=${1:-}
dry=${2:-}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "found version '$version', expected one such as 0.2.0"
[ -z "$dry" ] || [ "$dry" = --dry-run ] || fail "found '$dry', expected --dry-run or nothing"
[ -z "$(git status --porcelain)" ] || fail 'the working tree has changes; commit or stash them'
git rev-parse -q --verify "refs/tags/v$version" >/dev/null && fail "the tag v$version is there already"
notes=$(awk -v head="## $version" '$0 == head || index($0, head " ") == 1 { on = 1; next } /^## / { on = 0 } on' CHANGELOG.md)
[[ $notes =~ [^[:space:]] ]] || fail "CHANGELOG.md has no section '## $version' with a text"

undo() { git checkout -q -- package.json package-lock.json; }
trap undo EXIT
npm version --no-git-tag-version --allow-same-version "$version" >/dev/null
npm test

mkdir -p out
tarball=out/$(npm pack --silent --pack-destination out)
.ci/try-package.sh "$tarball"

if [ -n "$dry" ]; then
  printf 'release: %s is tested; nothing was committed, tagged or published\n' "$tarball" >&2
  exit 0
fi
trap - EXIT
git commit -q --allow-empty -m "Version $version" -- package.json package-lock.json
git tag -a "v$version" -m "$notes"
npm publish "$tarball"
printf 'release: %s is published; push the commit and the tag: git push --follow-tags\n' "$version" >&2
