#!/bin/bash
# Installs the named Debian packages that are missing, with one question at a terminal and none in CI.
set -euo pipefail

missing=()
for package in "$@"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

echo "Missing system packages: ${missing[*]}"
as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || { echo "Install them as root: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
confirm=(--yes)
if [[ -t 0 && -z ${CI:-} ]]; then confirm=(); fi

"${as_root[@]}" apt-get update --quiet=2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install --quiet=2 --no-install-recommends "${confirm[@]}" "${missing[@]}"
