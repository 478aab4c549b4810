#!/usr/bin/env bash
# Line coverage of src/ by the hermetic tests: a table, file by file, and then the lines that no test reaches.
#
#   tests/coverage.sh        five minutes
#
# Fails if the coverage is below the minimum. It installs cargo-llvm-cov if that is missing, and needs LLVM's tools: those of rustup's
# component llvm-tools, or Debian's llvm-22.
set -euo pipefail
cd "$(dirname "$0")/.."

least=98
export CARGO_PROFILE_DEV_DEBUG=0
if command -v llvm-cov-22 >/dev/null; then
  export LLVM_COV=${LLVM_COV:-llvm-cov-22} LLVM_PROFDATA=${LLVM_PROFDATA:-llvm-profdata-22}
fi
if ! command -v cargo-llvm-cov >/dev/null; then
  echo "-- installing cargo-llvm-cov"
  cargo install cargo-llvm-cov --locked --debug
fi

cargo llvm-cov clean --workspace
# Like `tests/all.sh hermetic`: all features, and the code for small machines.
cargo llvm-cov --no-report --quiet --all-features --features defmt/unstable-test
RUSTFLAGS="--cfg baremqtt_small" cargo llvm-cov --no-report --quiet --no-default-features --lib --test client --test conformance --test codec
cargo llvm-cov report --lcov --output-path target/coverage.info
cargo llvm-cov report --summary-only | awk '/^Filename/ || /%/ { print $1, $(NF-3) }' | column -t
python3 - <<'END'
for line in open("target/coverage.info"):
    key, _, value = line.strip().partition(":")
    if key == "SF":
        path, source = value.split("/src/", 1)[1], open(value).read().splitlines()
    elif key == "DA" and value.endswith(",0"):
        number = int(value.split(",")[0])
        print(f"src/{path}:{number}:{source[number - 1]}")
END
cargo llvm-cov report --summary-only --fail-under-lines "$least" >/dev/null || {
  echo "tests/coverage.sh: less than $least % of lines" >&2
  exit 1
}
