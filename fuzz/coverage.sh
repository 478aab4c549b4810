#!/usr/bin/env bash
# Line coverage of src/ by the inputs of the fuzz targets: the seeds, and what fuzzing on this machine has added to fuzz/corpus.
#
#   fuzz/coverage.sh          five minutes
#   fuzz/coverage.sh lines    and the lines that are not reached
#
# Fails where it is below the least. It wants LLVM's tools: Debian's llvm-22, or those of rustup's component llvm-tools in
# LLVM_COV and LLVM_PROFDATA.
set -euo pipefail
cd "$(dirname "$0")/.."

least=97
target_dir=${CARGO_TARGET_DIR:-$PWD/target}/fuzz_coverage
cov=${LLVM_COV:-llvm-cov-22}
profdata=${LLVM_PROFDATA:-llvm-profdata-22}

# What the targets on the left are for.
declare -A files=(
  ["decode roundtrip topic peers"]="src/codec src/topic.rs src/text.rs"
  ["client_session client_chunks restore"]="src/client"
  ["adapters"]="src/transport/blocking src/transport/polled src/transport/asynch src/transport/driver.rs"
  ["routes"]="src/routes.rs"
)

RUSTFLAGS="--cfg fuzzing -C instrument-coverage" LLVM_PROFILE_FILE=/dev/null \
  cargo build --quiet --locked --manifest-path fuzz/Cargo.toml --target-dir "$target_dir"

failed=
for targets in "${!files[@]}"; do
  objects=()
  for target in $targets; do
    mkdir -p "fuzz/corpus/$target"
    program=$target_dir/debug/$target
    LLVM_PROFILE_FILE=$target_dir/$target.profraw \
      "$program" -runs=0 "tests/fuzz/seeds/$target" "fuzz/corpus/$target" 2>"$target_dir/$target.log"
    objects+=(--object "$program")
  done
  # shellcheck disable=SC2086 # names without spaces
  (cd "$target_dir" && "$profdata" merge --sparse ${targets// /.profraw }.profraw --output "${targets// /_}.profdata")
  profile=$target_dir/${targets// /_}.profdata
  # shellcheck disable=SC2086 # names without spaces
  mapfile -t sources < <(find ${files[$targets]} -name '*.rs')
  lines=$("$cov" export --summary-only --instr-profile "$profile" "${objects[@]}" --sources "${sources[@]}" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0]["totals"]["lines"]["percent"])')
  printf '%5.1f %%  %s, by %s\n' "$lines" "${files[$targets]}" "$targets"
  awk "BEGIN { exit !($lines < $least) }" && failed=yes
  if [ "${1:-}" = lines ]; then
    "$cov" show --instr-profile "$profile" "${objects[@]}" --sources "${sources[@]}" |
      awk -F'|' '/^\/.*:$/ { file = $0 } $2 ~ /^ *0$/ { print file $1 ":" $3 }'
  fi
done
[ -z "$failed" ] || {
  echo "fuzz/coverage.sh: less than $least % of lines" >&2
  exit 1
}
