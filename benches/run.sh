#!/usr/bin/env bash
# Counts and times the codec beside others, prints the tables, and puts them and their plots into README.md.
#
#   benches/run.sh           all of it: building takes two minutes, the rest half of one
#   benches/run.sh check     this library alone, against bounds.tsv: fails where an operation takes more instructions
#   benches/run.sh bounds    writes bounds.tsv anew, from what is counted now
#
# Counts belong to a compiler: it takes Rust 1.95, by rustup or as it is. On Debian and its kin it installs valgrind.
set -euo pipefail
cd "$(dirname "$0")"

rust=1.95
: "${CARGO_TARGET_DIR:=$PWD/../target/benches}"
export CARGO_TARGET_DIR RUSTUP_AUTO_INSTALL=0

fail() {
  echo "benches/run.sh: $*" >&2
  exit 1
}

# Where rustup has it under its number, or where it is what there is.
if cargo "+$rust.0" --version >/dev/null 2>&1; then
  cargo=(cargo "+$rust.0")
elif rustc --version | grep -q "^rustc $rust\."; then
  cargo=(cargo)
else
  fail "please install Rust $rust: what is counted depends on the compiler"
fi

if ! command -v valgrind >/dev/null; then
  command -v apt-get >/dev/null || fail "please install valgrind"
  sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=500 update -q
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=500 install -q -y --no-install-recommends valgrind
fi
# callgrind sees what is written for processors like this one.
[ "$(uname -m)" = x86_64 ] || fail "the counts are those of x86-64"

out=$(mktemp -d)
trap 'rm -r "$out"' EXIT

# Runs `benches count` with these arguments, and puts the instructions of each line in $out/counts.
count() {
  # Else a copy of more than 2 KiB counts as one instruction a byte.
  GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000 \
    valgrind --tool=callgrind --callgrind-out-file="$out/callgrind" --toggle-collect='*measured*' \
    --dump-before='*finished*' "$CARGO_TARGET_DIR/release/benches" count "$@" \
    >"$out/counts" 2>"$out/valgrind" || { cat "$out/valgrind" >&2; fail "valgrind failed"; }
}

case ${1:-} in
"")
  "${cargo[@]}" build --quiet --release --locked
  count
  "$CARGO_TARGET_DIR/release/benches" time >"$out/times"
  { "${cargo[@]}" --version && date -u +%F; } >"$out/about"
  python3 report.py all "$out"
  ;;
check | bounds)
  "${cargo[@]}" build --quiet --release --locked --no-default-features
  count baremqtt
  python3 report.py "$1" "$out"
  ;;
*) fail "there is no mode $1" ;;
esac
