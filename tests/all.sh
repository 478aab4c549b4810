#!/usr/bin/env bash
# Sets this machine up and runs every check, in an order that fails early.
#
#   tests/all.sh             everything
#   tests/all.sh STEP...     only these steps, each of which sets up what it needs
#   FUZZ_SECONDS=600 tests/all.sh fuzz
#
# `hermetic` needs only Rust. The other steps need rustup with a stable and a nightly toolchain, and Python 3 with pip. On
# Debian-based systems they install the rest as packages, and announce that first; elsewhere they name what is missing. Toolchains
# and targets are never downloaded.
# shellcheck disable=SC2317 # steps are called by their names
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/support/debian.sh

steps=(setup format lint features docs package baremetal panics footprint hermetic explore benches examples interop firmware webchat fuzz)

# The seconds that each step may take on a fresh, otherwise idle machine with two processors: 25 minutes in all. A step that takes
# longer is marked in the last lines.
declare -A budgets=(
  [setup]=95 [format]=5 [lint]=50 [features]=45 [docs]=60 [package]=25 [baremetal]=80 [panics]=65 [footprint]=70 [hermetic]=240 [explore]=75
  [benches]=55 [examples]=140 [interop]=85 [firmware]=90 [webchat]=165 [fuzz]=120
)

# By default the same inputs in the same order; a longer run uses different ones each time.
[ -n "${FUZZ_SECONDS:-}" ] && fuzz_seed=0 || fuzz_seed=1
: "${FUZZ_SECONDS:=12}"
: "${CARGO_TARGET_DIR:=$PWD/target}"
export CARGO_TARGET_DIR
export RUSTUP_AUTO_INSTALL=0
# Everything is compiled once, and nobody debugs it.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
# Debian installs servers in sbin. The tests' own Python comes first, see need_python.
export PATH="$CARGO_TARGET_DIR/venv/bin:$PATH:/usr/sbin"

# Programs linked with the feature defmt have no logger, and use the one from defmt's own tests.
with_all_features=(--all-features --features defmt/unstable-test)

# All targets are passed to bare_cargo at once: cargo then compiles core for them in parallel.
# The last one covers the code that works on 64-bit words.
bare_targets=(
  thumbv6m-none-eabi thumbv7m-none-eabi thumbv7em-none-eabihf riscv32imc-unknown-none-elf x86_64-unknown-none
)

# --- The steps ------------------------------------------------------------------------------------------------------

# Everything that any step needs, at once: if a machine cannot be set up, that shows in the first minute.
step_setup() {
  need_bare_metal
  need_mosquitto
  need_qemu
  need_python
  need_cargo_fuzz
  need_browser
  # Also fails if a Cargo.lock does not match its Cargo.toml, or the library's.
  manifests | xargs tests/dependencies.py
}

step_format() {
  local manifest
  while read -r manifest; do
    echo "-- $manifest"
    cargo fmt --check --manifest-path "$manifest"
  done < <(manifests)
}

# Everything that is compiled for this machine, including tests that `cargo test` leaves out; and the parts of the firmware that
# compile here too.
step_lint() {
  local features test board example left_out=()
  while read -r test _; do
    left_out+=(--test "$test")
  done < <(interop_tests)
  for features in '' --no-default-features "${with_all_features[*]}"; do
    echo "-- clippy ${features:-with default features}"
    # shellcheck disable=SC2086 # no features, no argument
    cargo clippy --quiet --all-targets $features -- -D warnings
  done
  echo "-- clippy ${left_out[*]}"
  cargo clippy --quiet "${with_all_features[@]}" "${left_out[@]}" -- -D warnings
  for board in lm3s6965evb mps2-an386 microbit; do
    echo "-- clippy of the firmware for $board"
    cargo clippy --quiet --manifest-path examples/firmware/Cargo.toml --no-default-features --features "$board" -- -D warnings
  done
  echo "-- clippy of what makes mutants"
  cargo clippy --quiet --locked --manifest-path tests/mutants/Cargo.toml -- -D warnings
  for example in embassy ethernet; do
    echo "-- clippy of the firmware in $example"
    cargo clippy --quiet --locked --manifest-path "examples/$example/Cargo.toml" --no-default-features -- -D warnings
  done
}

# Each feature alone, every pair, none and all compile without a warning (clippy for none and all is in `lint`);
# without `std` neither std nor alloc is used.
step_features() {
  local features
  mapfile -t subsets < <(from_metadata '
names = sorted(set(package["features"]) - {"default"})
for n in (0, 1, 2, len(names)):
    for subset in itertools.combinations(names, n):
        print(",".join(subset))')
  for features in "${subsets[@]}"; do
    echo "-- check --no-default-features --features '$features'"
    cargo rustc --quiet --profile check --lib --no-default-features --features "$features" -- -D warnings
  done
  for features in '' "$(no_std_features)"; do
    echo "-- crates behind --no-default-features --features '$features'"
    cargo +nightly rustc --quiet --lib --no-default-features --features "$features" \
      --target-dir "$CARGO_TARGET_DIR/no_std"
    crates=$(rustc +nightly -Zls=root "$CARGO_TARGET_DIR/no_std/debug/libbaremqtt.rlib" |
      sed -n '/^=External Dependencies=/,$s/^[0-9]* \([a-z_0-9]*\)-.*/\1/p')
    grep -qx core <<<"$crates" || fail "the list of crates has another form than this script expects"
    if grep -Ex 'std|alloc' <<<"$crates"; then fail "the library uses the crate above"; fi
  done
}

step_docs() {
  local feature file link
  while read -r feature; do
    grep -qF "\`$feature\`" README.md && grep -qF "\`$feature\`" src/lib.rs || fail "README.md or src/lib.rs does not name the feature $feature"
  done < <(from_metadata 'print(*sorted(set(package["features"]) - {"default"}), sep="\n")')
  find src docs README.md \( -name '*.rs' -o -name '*.md' \) -print0 | xargs -0 tests/code_width.py
  RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features
  if grep -rq 'href="\.\./src/' "$CARGO_TARGET_DIR/doc/baremqtt/guide"; then
    fail "docs/ has a link that src/guide.rs does not define"
  fi
  echo "-- links from one file to another"
  while IFS=: read -r file link; do
    [ -e "$(dirname "$file")/${link%%#*}" ] || fail "$file has a link to $link"
  done < <(find . -name target -prune -o -name node_modules -prune -o -name '*.md' -print0 |
    xargs -0 grep -HoP '(\]\(|^\[[^]]+\]: )\K(?!https?:|#)[^)\s]+')
  # With the profile that `hermetic` uses for all features, so that they are compiled once.
  cargo test --release "${with_all_features[@]}" --doc
  echo "-- the programs of the guide"
  cargo test --quiet --locked --manifest-path tests/guide/Cargo.toml --doc
  echo "-- as the documentation host builds it"
  RUSTDOCFLAGS="--cfg docsrs -D warnings" cargo +nightly doc --no-deps --all-features --target-dir "$CARGO_TARGET_DIR/docsrs"
  cargo +nightly rustdoc --quiet --lib --all-features -- -Zunstable-options --output-format json
  python3 tests/public_types.py "$CARGO_TARGET_DIR/doc/baremqtt.json"
}

# The published package: it compiles, its tests and documentation do too, and tests that read files find them.
step_package() {
  local folder=$CARGO_TARGET_DIR/unpacked
  cargo package --allow-dirty
  rm -rf "$folder"
  mkdir -p "$folder"
  tar --extract --touch --directory "$folder" --file "$CARGO_TARGET_DIR"/package/baremqtt-*.crate
  cd "$folder"/baremqtt-*/
  cargo test --no-run
  cargo test --test conformance --test examples
  RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features
  cd "$OLDPWD"
}

# The library alone; `panics` links it.
step_baremetal() {
  local features
  for features in '' "$(no_std_features)"; do
    echo "-- ${bare_targets[*]} --features '$features'"
    # The profile of panic_gate/, so that core is compiled once for both.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=s CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
      CARGO_PROFILE_RELEASE_PANIC=abort \
      bare_cargo "${bare_targets[*]}" build --quiet --release --lib --no-default-features --features "$features"
  done
}

# A program that cannot be linked while it contains a panic path; and the proof of that. See panic_gate/.
step_panics() {
  echo "-- ${bare_targets[*]}"
  panic_gate "${bare_targets[*]}" --release
  panic_gate_is_shut "${bare_targets[*]}"
  echo "-- thumbv7em-none-eabihf and x86_64-unknown-none, opt-level 3"
  panic_gate "thumbv7em-none-eabihf x86_64-unknown-none" --profile fast
}

# What the library costs on a microcontroller: the table in README.md, with flash, stack and state.
step_footprint() {
  local command=table folder=$CARGO_TARGET_DIR/footprint
  # FOOTPRINT=bounds rewrites tests/footprint/bounds.tsv, and the tables in README.md and src/lib.rs.
  [ "${FOOTPRINT:-}" != bounds ] || command=bounds
  need_qemu
  rm -rf "$folder"
  python3 tests/footprint/table.py programs | footprint s "$folder/s"
  python3 tests/footprint/table.py choices | footprint s "$folder/s"
  python3 tests/footprint/table.py programs | footprint z "$folder/z"
  python3 tests/footprint/table.py programs | grep -v ^static | footprint s "$folder/emulated" emulated
  python3 tests/footprint/table.py "$command" "$(bare_rustc thumbv7m-none-eabi --version)" "$folder"
}

# Everything that needs only Rust.
step_hermetic() {
  echo "-- default features"
  cargo test
  echo "-- no features"
  cargo test --no-default-features
  echo "-- all features, optimised; their documentation tests are those of \`docs\`"
  cargo test --release "${with_all_features[@]}" --tests
  echo "-- what holds for any input"
  package_is_good tests/properties/
  echo "-- what a small machine does"
  (
    export RUSTFLAGS="--cfg baremqtt_small" CARGO_TARGET_DIR=$CARGO_TARGET_DIR/small
    cargo test --no-default-features --lib --test client --test conformance
    cargo test --locked --manifest-path tests/properties/Cargo.toml --test fuzz
  )
}

# The codec takes no more instructions than before. The benchmarks of other libraries are compiled, but not run.
step_benches() {
  cargo clippy --quiet --locked --manifest-path benches/Cargo.toml -- -D warnings
  cargo clippy --quiet --locked --manifest-path benches/broker/Cargo.toml -- -D warnings
  cargo clippy --quiet --locked --manifest-path benches/tasks/Cargo.toml -- -D warnings
  debian_packages libmosquitto-dev libpaho-mqtt-dev
  cc -fsyntax-only -Wall -Werror benches/broker/peers/*.c
  python3 -m py_compile benches/*.py benches/broker/*.py benches/broker/peers/*.py
  benches/run.sh check
}

# Every state of small worlds. tests/explore/README.md says how to run all of them.
step_explore() {
  tests/explore/faults.py --check
  # Cargo reads tests/explore/.cargo only there.
  cd tests/explore
  package_is_good ./
  cargo run --quiet --locked --release -- short
  cd "$OLDPWD"
}

step_examples() {
  # With the profile that `hermetic` has compiled the library with.
  cargo build --release --examples "${with_all_features[@]}"
  echo "-- crates of quickstart"
  local crates
  crates=$(cargo tree --edges normal,dev --no-dedupe --prefix none | sort -u | wc -l)
  [ "$crates" -lt 12 ] || fail "the first command of README.md compiles $crates crates"
  echo "-- nb_loop"
  cargo run --quiet --release "${with_all_features[@]}" --example nb_loop
  need_mosquitto
  local package
  for package in streams/*/ examples/*/; do
    case $package in
      examples/embassy/ | examples/ethernet/ | examples/firmware/ | examples/webchat/) continue ;; # They have steps of their own.
    esac
    [ -e "${package}Cargo.toml" ] || continue
    echo "-- $package"
    package_is_good "$package"
  done
}

# Each test that needs a program from outside Rust.
step_interop() {
  need_mosquitto
  need_python
  local test name features
  mapfile -t tests < <(interop_tests)
  [ "${#tests[@]}" -gt 0 ] || fail "Cargo.toml has no [[test]] with test = false"
  for test in "${tests[@]}"; do
    read -r name features <<<"$test"
    [ "$name" != firmware ] || continue # the next step
    echo "-- $name"
    # They wait more than they compute.
    cargo test --features "$features" --test "$name" -- --test-threads 4
  done
  echo "-- other people's streams"
  package_is_good tests/streams/
  echo "-- brokers: the column of Mosquitto"
  cargo clippy --quiet --locked --manifest-path tests/brokers/Cargo.toml -- -D warnings
  tests/brokers/run.sh mosquitto
}

# The firmware on three emulated boards, and the embassy one on a fourth, each connected to a broker by its serial line; and one by Ethernet.
step_firmware() {
  need_mosquitto
  need_qemu
  firmware lm3s6965evb thumbv7m-none-eabi firmware --no-default-features --features lm3s6965evb,semihosting
  firmware mps2-an386 thumbv7em-none-eabihf firmware --no-default-features --features mps2-an386,semihosting
  firmware microbit thumbv6m-none-eabi firmware --no-default-features --features microbit,semihosting
  firmware embassy thumbv7m-none-eabi embassy
  firmware ethernet thumbv7m-none-eabi ethernet
  cargo test --test firmware
}

# The chat in examples/webchat: its own tests, and its page in a real browser.
step_webchat() {
  need_mosquitto
  need_browser
  package_is_good examples/webchat/
  cargo build --quiet --locked --manifest-path examples/webchat/Cargo.toml
  echo "-- installing what examples/webchat/package.json names"
  (cd examples/webchat && npm ci --no-audit --no-fund && CHROMIUM=$(command -v chromium) npm test)
}

step_fuzz() {
  need_cargo_fuzz
  local targets target failed=() processors
  processors=$(getconf _NPROCESSORS_ONLN)
  declare -A running
  mapfile -t targets < <(cargo +nightly fuzz list)
  [ "${#targets[@]}" -gt 0 ] || fail "fuzz/Cargo.toml has no targets"
  cargo +nightly fuzz build
  # Each target takes one processor.
  while [ "${#targets[@]}" -gt 0 ]; do
    running=()
    for target in "${targets[@]:0:processors}"; do
      fuzz "$target" >"$CARGO_TARGET_DIR/fuzz-$target.log" 2>&1 &
      running[$target]=$!
    done
    targets=("${targets[@]:${#running[@]}}")
    for target in "${!running[@]}"; do
      wait "${running[$target]}" || failed+=("$target")
      echo "-- $target, $FUZZ_SECONDS s"
      sed '/^###### Recommended dictionary/,/^###### End of/d' "$CARGO_TARGET_DIR/fuzz-$target.log"
    done
  done
  [ "${#failed[@]}" -eq 0 ] || fail "fuzzing found something in ${failed[*]}"
}

# --- Parts of steps ---------------------------------------------------------------------------------------------------

fail() {
  echo "tests/all.sh: $*" >&2
  exit 1
}

# Every package of the repository.
manifests() {
  find . -name Cargo.toml -not -path '*/target/*' -not -path '*/node_modules/*'
}

# Runs Python over `package`, the root package in `cargo metadata`.
from_metadata() {
  cargo metadata --no-deps --format-version 1 |
    python3 -c "import itertools, json, sys; package = json.load(sys.stdin)['packages'][0]; exec(sys.argv[1])" "$1"
}

# All features that are available without an operating system.
no_std_features() {
  from_metadata 'print(",".join(sorted(set(package["features"]) - {"default", "std"})))'
}

# The tests with `test = false` in Cargo.toml, each with the features that it requires.
interop_tests() {
  from_metadata '
for target in package["targets"]:
    if "test" in target["kind"] and not target["test"]:
        print(target["name"], ",".join(target.get("required-features", [])))'
}

# Fuzzes one target. New inputs are stored in the first folder, which is not committed.
fuzz() {
  mkdir -p "fuzz/corpus/$1"
  cargo +nightly fuzz run "$1" "fuzz/corpus/$1" "tests/fuzz/seeds/$1" -- \
    -max_total_time="$FUZZ_SECONDS" -seed="$fuzz_seed" -verbosity=0 -print_final_stats=1
}

# Clippy and the tests of the package in this folder.
package_is_good() {
  cargo clippy --quiet --locked --all-targets --manifest-path "$1Cargo.toml" -- -D warnings
  cargo test --quiet --locked --manifest-path "$1Cargo.toml"
}

# Builds the firmware of an example for a target, and puts it under this name where tests/firmware/ looks for it.
firmware() {
  local name=$1 target=$2 example=$3
  echo "-- $name"
  # Without debug information it reuses the core of panic_gate/.
  CARGO_PROFILE_RELEASE_DEBUG=false DEFMT_LOG=info bare_cargo "$target" build --quiet --locked --release \
    --manifest-path "examples/$example/Cargo.toml" "${@:4}"
  mkdir -p "$CARGO_TARGET_DIR/firmware"
  cp "$(bare_target_dir "$target")/$target/release/$example" "$CARGO_TARGET_DIR/firmware/$name"
}

# Builds the footprint programs named on standard input, at this opt-level, and puts them into this folder.
footprint() {
  local level=$1 folder=$2 more=${3:-} name program features
  mkdir -p "$folder"
  while read -r name program features; do
    CARGO_PROFILE_RELEASE_OPT_LEVEL=$level bare_cargo thumbv7m-none-eabi build --quiet --locked --release \
      --manifest-path tests/footprint/Cargo.toml --bin "$program" --features "$features,$more" </dev/null
    cp "$(bare_target_dir thumbv7m-none-eabi)/thumbv7m-none-eabi/release/$program" "$folder/$name"
  done
}

are_rustup_targets() {
  local target installed
  installed=$(rustup target list --installed)
  for target in $1; do
    grep -qx "$target" <<<"$installed" || return 1
  done
}

# cargo for bare-metal targets: rustup's if it has all of them installed, otherwise Debian's, which compiles core itself.
bare_cargo() {
  local target targets=() command=$2
  for target in $1; do
    targets+=(--target "$target")
  done
  if are_rustup_targets "$1"; then
    cargo "$command" "${targets[@]}" "${@:3}"
    return
  fi
  need_bare_metal
  RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc RUSTFLAGS="-Clinker=ld.lld-22" CARGO_TARGET_DIR="$(bare_target_dir "$1")" \
    /usr/bin/cargo "$command" "${targets[@]}" -Zbuild-std=core "${@:3}"
}

# The compiler that bare_cargo uses.
bare_rustc() {
  if are_rustup_targets "$1"; then rustc "${@:2}"; else /usr/bin/rustc "${@:2}"; fi
}

# Where bare_cargo puts what it builds for targets.
bare_target_dir() {
  if are_rustup_targets "$1"; then echo "$CARGO_TARGET_DIR"; else echo "$CARGO_TARGET_DIR/debian"; fi
}

panic_gate() {
  bare_cargo "$1" build --quiet --locked --manifest-path tests/panic_gate/Cargo.toml "${@:2}"
}

# With a planted panic, the program must fail to link for each target, and for that reason.
panic_gate_is_shut() {
  local output found
  output=$(panic_gate "$1" --release --keep-going --features planted_panic 2>&1) &&
    fail "the panic gate is open: a planted panic was linked for $1"
  found=$(grep -c 'undefined symbol: a_panic_path_is_left' <<<"$output") || true
  [ "$found" -eq "$(wc -w <<<"$1")" ] ||
    fail "a planted panic was linked for some of $1, or failed for another reason: $output"
}

# --- What the machine needs -----------------------------------------------------------------------------------------

have() {
  command -v "$1" >/dev/null
}

need_cargo() {
  have cargo || fail "please install Rust"
}

need_toolchains() {
  [ -z "${has_toolchains:-}" ] || return 0
  have rustup || fail "please install rustup, with a stable and a nightly toolchain"
  cargo +nightly --version || fail "please run: rustup toolchain install nightly"
  cargo clippy --version || fail "please run: rustup component add clippy"
  cargo fmt --version || fail "please run: rustup component add rustfmt"
  have python3 || debian_packages python3
  # Linking needs a C compiler, and libFuzzer a C++ compiler.
  { have cc && have c++; } || debian_packages build-essential
  has_toolchains=yes
}

need_bare_metal() {
  are_rustup_targets "${bare_targets[*]}" ||
    debian_packages rustc-web cargo-web rust-web-src lld-22 llvm-22
}

need_mosquitto() {
  { have mosquitto && have mosquitto_passwd && have mosquitto_pub; } || debian_packages mosquitto mosquitto-clients
}

need_qemu() {
  have qemu-system-arm || debian_packages qemu-system-arm
}

# A Python environment for the tests, with another MQTT client.
need_python() {
  local venv=$CARGO_TARGET_DIR/venv
  "$venv/bin/python3" -c 'import paho.mqtt.client' 2>/dev/null && return
  python3 -c 'import ensurepip' 2>/dev/null || debian_packages python3-venv
  echo "-- installing paho-mqtt into $venv"
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'paho-mqtt>=2,<3'
}

# Node.js and a browser.
need_browser() {
  { have node && have npm; } || debian_packages nodejs npm
  have chromium || debian_packages chromium fonts-noto-cjk fonts-noto-color-emoji
}

need_cargo_fuzz() {
  # It only starts other programs, so it need not be fast.
  have cargo-fuzz && return
  echo "-- installing cargo-fuzz"
  cargo install cargo-fuzz --locked --debug
}

# --- Running them ---------------------------------------------------------------------------------------------------

timings=()
current=

# However the script ends, this prints its last lines. A signal that ends it is not a success.
report() {
  local status=$?
  [ -n "${finished:-}" ] || [ "$status" -ne 0 ] || status=1
  printf '\n'
  [ "${#timings[@]}" -eq 0 ] || printf '%s\n' "${timings[@]}"
  if [ "$status" -eq 0 ]; then
    echo "tests/all.sh: all passed in $SECONDS s"
  else
    echo "tests/all.sh: FAILED in ${current:-its arguments}, after $SECONDS s" >&2
  fi
}

# The current step has taken this many seconds.
note_time() {
  local budget=${budgets[$current]} late=
  [ "$1" -le "$budget" ] || late=", more than the $budget s that it may take"
  timings+=("$(printf '%-10s %4d s%s' "$current" "$1" "$late")")
}

main() {
  local step
  if [ "${1:-}" = --help ]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" | grep -v shellcheck
    echo "Steps: ${steps[*]}"
    exit
  fi
  for step in "$@"; do
    [[ " ${steps[*]} " == *" $step "* ]] || fail "there is no step $step; there are: ${steps[*]}"
  done
  trap report EXIT
  # Without these the shell would run the trap above with a status of 0.
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  for current in "${@:-${steps[@]}}"; do
    local started=$SECONDS
    printf '\n==== %s ====\n' "$current"
    if [ "$current" = hermetic ]; then need_cargo; else need_toolchains; fi
    "step_$current"
    note_time $((SECONDS - started))
  done
  finished=yes
}

# On one line with the exit, so that the script can be edited while it runs.
main "$@"; exit
