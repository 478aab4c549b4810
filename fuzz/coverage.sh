#!/usr/bin/env bash
# Line coverage of src/ by the inputs of the fuzz targets: the seeds, and what fuzzing on this machine has added to fuzz/corpus.
#
#   fuzz/coverage.sh          a minute or two
#   fuzz/coverage.sh seeds    the seeds alone
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

# The first argument names folders and files, the others are the targets that are for them.
coverage() {
  local sources target profiles=() objects=() corpus=()
  mapfile -t sources < <(tr ' ' '\n' <<<"$1" | xargs -I{} find {} -name '*.rs')
  for target in "${@:2}"; do
    corpus=("tests/fuzz/seeds/$target")
    [ "$which" = seeds ] || corpus+=("fuzz/corpus/$target")
    mkdir -p "${corpus[@]}"
    profiles+=("$target_dir/$target.profraw")
    objects+=(--object "$target_dir/debug/$target")
    LLVM_PROFILE_FILE=$target_dir/$target.profraw \
      "$target_dir/debug/$target" -runs=0 "${corpus[@]}" 2>"$target_dir/$target.log"
  done
  "$profdata" merge --sparse "${profiles[@]}" --output "$target_dir/merged.profdata"
  "$cov" export --summary-only --instr-profile "$target_dir/merged.profdata" "${objects[@]}" --sources "${sources[@]}" |
    python3 -c '
import json, sys
files = json.load(sys.stdin)["data"][0]["files"]
lines = [file["summary"]["lines"] for file in files if file["filename"].split("/")[-1] not in sys.argv[1].split()]
lines = [file for file in lines if file["covered"]]
covered, count = (sum(file[key] for file in lines) for key in ("covered", "count"))
print(f"{100 * covered / count:5.1f} % of {count} lines of {sys.argv[2]}, by", *sys.argv[3:])' "$texts" "$@"
}

which=${1:-all}
coverage "src/codec src/topic.rs src/text.rs" decode roundtrip topic peers
coverage src/client client_session client_chunks restore
coverage src/transport adapters
coverage src/routes.rs routes
