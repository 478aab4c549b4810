#!/usr/bin/env bash
# Tests of the tests: puts each fault of faults/ into a copy of the library, and looks whether the walk through all states finds
# it, or else the client's own tests. Prints a row of the table in README.md for each.
#
#   tests/explore/faults.sh              all of them
#   tests/explore/faults.sh NAME...      only these
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${CARGO_TARGET_DIR:=$PWD/target}"
copy=$CARGO_TARGET_DIR/faults/copy
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/faults/target CARGO_PROFILE_DEV_DEBUG=0

# How the fault was found, or nothing.
found_by() {
  cargo build --quiet --release --manifest-path tests/explore/Cargo.toml || return 1
  local line
  if line=$(timeout 600 "$CARGO_TARGET_DIR/release/explore" find 2>/dev/null); then
    echo "\`explore\` $line"
    return
  fi
  line=$(timeout 600 cargo test --quiet --test client 2>&1 | sed -n 's/^---- \(.*\) stdout ----$/\1/p' | head -1)
  [ -z "$line" ] || echo "\`tests/client\` $line"
}

names=("$@")
[ "${#names[@]}" -gt 0 ] || mapfile -t names < <(cd tests/explore/faults && ls | sed 's/\.patch$//')
missed=0
for name in "${names[@]}"; do
  patch=$PWD/tests/explore/faults/$name.patch
  rm -rf "$copy"
  mkdir -p "$copy"
  git archive HEAD | tar -x -C "$copy"
  how=$(
    cd "$copy"
    patch --quiet -p1 <"$patch" || { echo "DOES NOT APPLY"; exit; }
    found_by
  ) || how="DOES NOT COMPILE"
  case $how in '' | DOES*) missed=$((missed + 1)) ;; esac
  printf '| %s | %s | %s |\n' "$name" "$(head -1 "$patch")" "${how:-NOT FOUND}"
done
echo "${#names[@]} faults, $missed not found"
[ "$missed" -eq 0 ]
