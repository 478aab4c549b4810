#!/usr/bin/env bash
# The client against other people's brokers: prints the tables of README.md. It installs the brokers by the names of their packages.
#
#   tests/brokers/run.sh                    all of them
#   tests/brokers/run.sh mosquitto nats     only these
#   tests/brokers/run.sh cluster            RabbitMQ on two and three nodes, the first of which ends
#
# For Debian-based systems with Node.js, Python and cargo; rumqttd and rmqtt are compiled, which takes some minutes. All of them listen on
# loopback.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/support/debian.sh

brokers=("$@")
[ "${#brokers[@]}" -gt 0 ] || brokers=(mosquitto rabbitmq ejabberd nats aedes amqtt rumqttd rmqtt)
: "${CARGO_TARGET_DIR:=$PWD/target}"
export CARGO_TARGET_DIR BROKERS_FOLDER=${BROKERS_FOLDER:-$CARGO_TARGET_DIR/brokers}
export PATH=$PATH:/usr/sbin
mkdir -p "$BROKERS_FOLDER"

fail() {
  echo "tests/brokers/run.sh: $*" >&2
  exit 1
}

# RMQTT's own program, rmqttd, has plugins for everything that it can connect to: 697 packages. Its library is a broker too.
rmqtt_package() {
  mkdir -p "$BROKERS_FOLDER/rmqtt"
  cat >"$BROKERS_FOLDER/rmqtt/Cargo.toml" <<END
[package]
name = "rmqtt-broker"
version = "0.24.0"
edition = "2024"

[workspace]

[[bin]]
name = "rmqtt"
path = "$PWD/tests/brokers/rmqtt.rs"

[dependencies]
rmqtt = { version = "=0.24.0", features = ["plugin", "retain"] }
rmqtt-acl = "=0.24.0"
rmqtt-retainer = { version = "=0.24.0", features = ["ram"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
END
}

for broker in "${brokers[@]}"; do
  case $broker in
    mosquitto) debian_packages mosquitto >&2 ;;
    rabbitmq | cluster) debian_packages rabbitmq-server >&2 ;;
    ejabberd) debian_packages ejabberd >&2 ;;
    nats) debian_packages nats-server >&2 ;;
    aedes)
      [ -d "$BROKERS_FOLDER/npm/node_modules/aedes" ] || {
        echo "-- installing aedes" >&2
        mkdir -p "$BROKERS_FOLDER/npm"
        (cd "$BROKERS_FOLDER/npm" && npm install --silent --no-audit --no-fund aedes@1)
      } ;;
    amqtt)
      [ -x "$BROKERS_FOLDER/venv/bin/amqtt" ] || {
        echo "-- installing amqtt" >&2
        python3 -m venv "$BROKERS_FOLDER/venv"
        "$BROKERS_FOLDER/venv/bin/pip" install --quiet --disable-pip-version-check 'amqtt<0.13'
      } ;;
    rumqttd)
      [ -x "$BROKERS_FOLDER/cargo/bin/rumqttd" ] || {
        echo "-- installing rumqttd" >&2
        # Without its lock file: one of the locked versions does not compile with Rust 1.95.
        cargo install --quiet --debug --root "$BROKERS_FOLDER/cargo" rumqttd@0.20.0
      } ;;
    rmqtt)
      [ -x "$BROKERS_FOLDER/cargo/bin/rmqtt" ] || {
        echo "-- installing rmqtt" >&2
        rmqtt_package
        cargo install --quiet --debug --root "$BROKERS_FOLDER/cargo" --path "$BROKERS_FOLDER/rmqtt"
      } ;;
    *) fail "there is no $broker" ;;
  esac
done
cargo build --quiet --locked --manifest-path tests/brokers/Cargo.toml
"$CARGO_TARGET_DIR/debug/brokers" "${brokers[@]}"
