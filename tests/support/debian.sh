# For scripts that have a function `fail`.
# shellcheck shell=bash

# Installs those of these Debian packages that are missing.
debian_packages() {
  local missing=() package sudo=()
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  if ! command -v apt-get >/dev/null || { [ "${#sudo[@]}" -gt 0 ] && ! command -v sudo >/dev/null; }; then
    fail "please install these Debian packages, or what they are called here: ${missing[*]}"
  fi
  echo "-- installing ${missing[*]}"
  if [ -z "${apt_updated:-}" ]; then
    "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=500 update -q
    apt_updated=yes
  fi
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=500 install -q -y --no-install-recommends "${missing[@]}"
}
