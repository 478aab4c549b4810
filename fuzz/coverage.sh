#!/usr/bin/env bash
# Line coverage of src/ by the inputs of the fuzz targets: the seeds, and what fuzzing on this machine has added to fuzz/corpus.
#
#   fuzz/coverage.sh          a minute or two
#   fuzz/coverage.sh seeds    the seeds alone
#
# The lines that are not reached are put into target/fuzz_coverage/unreached.
#
# Of the files that a target is for, those count in which it reaches something, and which are more than texts for people. It wants
# LLVM's tools: Debian's llvm-22, or those of rustup's component llvm-tools in LLVM_COV and LLVM_PROFDATA.
set -euo pipefail
cd "$(dirname "$0")/.."

target_dir=${CARGO_TARGET_DIR:-$PWD/target}/fuzz_coverage
cov=${LLVM_COV:-llvm-cov-22}
profdata=${LLVM_PROFDATA:-llvm-profdata-22}
texts='error.rs display.rs'

RUSTFLAGS="--cfg fuzzing -C instrument-coverage" LLVM_PROFILE_FILE=/dev/null \
  cargo build --quiet --locked --manifest-path fuzz/Cargo.toml --target-dir "$target_dir"

for seeds in tests/fuzz/seeds/*; do
  target=$(basename "$seeds")
  corpus=("$seeds")
  [ "${1:-all}" = seeds ] || corpus+=("fuzz/corpus/$target")
  mkdir -p "${corpus[@]}"
  LLVM_PROFILE_FILE=$target_dir/$target.profraw \
    "$target_dir/debug/$target" -runs=0 "${corpus[@]}" 2>"$target_dir/$target.log"
done

# The first argument names folders and files, the others are the targets that are for them.
coverage() {
  local sources target profiles=() objects=()
  mapfile -t sources < <(tr ' ' '\n' <<<"$1" | xargs -I{} find {} -name '*.rs')
  for target in "${@:2}"; do
    profiles+=("$target_dir/$target.profraw")
    objects+=(--object "$target_dir/debug/$target")
  done
  "$profdata" merge --sparse "${profiles[@]}" --output "$target_dir/merged.profdata"
  "$cov" export --format lcov --instr-profile "$target_dir/merged.profdata" "${objects[@]}" --sources "${sources[@]}" |
    python3 -c '
import sys
files = {}
for key, _, value in (line.strip().partition(":") for line in sys.stdin):
    if key == "SF":
        lines = files[value] = {}
    elif key == "DA":
        number, times = value.split(",")[:2]
        lines[int(number)] = int(times)
unreached, texts, sources, targets = sys.argv[1], sys.argv[2].split(), sys.argv[3], sys.argv[4:]
files = {name: lines for name, lines in files.items() if name.split("/")[-1] not in texts and any(lines.values())}
times = [times for lines in files.values() for times in lines.values()]
share = 100 * sum(map(bool, times)) / len(times)
print(f"{share:5.1f} % of {len(times)} lines of {sources}, by", *targets)
with open(unreached, "a") as out:
    for name, lines in files.items():
        source = open(name).read().splitlines()
        for number in (number for number, times in lines.items() if not times):
            print(f"{name}:{number}:{source[number - 1]}", file=out)' "$target_dir/unreached" "$texts" "$@"
}

: >"$target_dir/unreached"
coverage "src/codec src/topic.rs src/validate.rs" decode roundtrip topic other_codecs client_session client_chunks
coverage src/client client_session client_chunks restore
coverage src/transport adapters
coverage src/routes.rs routes
