#!/usr/bin/env bash
# Counts the instructions of our codec and others, times them, prints tables, and puts them and their plots into README.md.
#
#   benches/run.sh           everything: building takes two minutes, the rest half a minute
#   benches/run.sh check     this library alone, against bounds.tsv: fails if an operation takes more instructions
#   benches/run.sh bounds    rewrites bounds.tsv from the current counts
#   benches/run.sh scale     the client over the number of messages in flight, and over buffer sizes; and 10,000 and 20,000 clients
#                            on one thread, through Mosquitto: 3 minutes
#   benches/run.sh broker    clients of several libraries through Mosquitto, end to end: 15 minutes; best on an otherwise idle machine
#
# Counts depend on the compiler: it uses Rust 1.95, from rustup or as installed. On Debian-based systems it installs what it needs;
# `broker` needs the rights to count system calls (root, or a `kernel.perf_event_paranoid` that allows it).
set -euo pipefail
cd "$(dirname "$0")"
source ../tests/support/debian.sh

rust=1.95
: "${CARGO_TARGET_DIR:=$PWD/../target/benches}"
export CARGO_TARGET_DIR RUSTUP_AUTO_INSTALL=0

fail() {
  echo "benches/run.sh: $*" >&2
  exit 1
}

# Uses rustup's toolchain of that version, or the installed one if it matches.
if cargo "+$rust.0" --version >/dev/null 2>&1; then
  cargo=(cargo "+$rust.0")
elif rustc --version | grep -q "^rustc $rust\."; then
  cargo=(cargo)
else
  fail "please install Rust $rust: what is counted depends on the compiler"
fi

# The version of a Debian package.
version() {
  dpkg-query -W -f '${Version}' "$1" | sed 's/-.*//'
}

command -v valgrind >/dev/null || debian_packages valgrind
# The counts are of code for the processor that callgrind runs on.
[ "$(uname -m)" = x86_64 ] || fail "the counts are those of x86-64"

out=$(mktemp -d)
trap 'rm -r "$out"' EXIT

# Runs `benches` with these arguments, and writes its lines to $out/counts, next to the instruction counts.
count() {
  # Otherwise a copy of more than 2 KiB counts as one instruction per byte.
  GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000 \
    valgrind --tool=callgrind --callgrind-out-file="$out/callgrind" --toggle-collect='*measured*' \
    --dump-before='*finished*' "$CARGO_TARGET_DIR/release/benches" "$@" \
    >"$out/counts" 2>"$out/valgrind" || { cat "$out/valgrind" >&2; fail "valgrind failed"; }
}

case ${1:-} in
"")
  "${cargo[@]}" build --quiet --release --locked
  count count
  "$CARGO_TARGET_DIR/release/benches" time >"$out/times"
  { "${cargo[@]}" --version && date -u +%F; } >"$out/about"
  python3 report.py all "$out"
  ;;
check | bounds)
  "${cargo[@]}" build --quiet --release --locked --no-default-features
  count count baremqtt
  python3 report.py "$1" "$out"
  ;;
scale)
  debian_packages mosquitto
  "${cargo[@]}" build --quiet --release --locked --no-default-features
  "${cargo[@]}" build --quiet --release --locked --manifest-path ../examples/many_clients/Cargo.toml
  count curves
  python3 curves.py "$out"
  python3 scale.py "$CARGO_TARGET_DIR/release/baremqtt-many-clients" \
    "Measured on $(date -u +%F) with Rust $rust and Mosquitto $(version mosquitto); $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg) before."
  ;;
broker)
  debian_packages mosquitto libmosquitto-dev libpaho-mqtt-dev gcc libc6-dev
  python3 -c "import ensurepip" || debian_packages python3-venv
  command -v perf >/dev/null || debian_packages linux-perf
  "${cargo[@]}" build --quiet --release --locked --manifest-path broker/Cargo.toml
  programs=$CARGO_TARGET_DIR/broker
  mkdir -p "$programs"
  cp "$CARGO_TARGET_DIR/release/broker-bench" "$programs"
  gcc -O2 -Wall -o "$programs/libmosquitto" broker/peers/libmosquitto.c -lmosquitto
  gcc -O2 -Wall -o "$programs/paho_c" broker/peers/paho_c.c -lpaho-mqtt3a -lpthread
  [ -e "$programs/venv/bin/python3" ] || python3 -m venv "$programs/venv"
  "$programs/venv/bin/pip" install --quiet --disable-pip-version-check paho-mqtt==2.2.0
  python3 broker/measure.py "$programs" "$out/found"
  python3 broker/tables.py "$out/found" "Measured on $(date -u +%F) with Rust $rust, Mosquitto and libmosquitto $(version mosquitto), rumqttc \
$(sed -n '/^name = "rumqttc"/{n;s/.*"\(.*\)"/\1/p}' broker/Cargo.lock), paho C $(version libpaho-mqtt1.3), paho Python 2.2.0; $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg) at the end."
  ;;
*) fail "there is no mode $1" ;;
esac
