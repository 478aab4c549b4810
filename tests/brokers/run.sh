#!/usr/bin/env bash
# The client against other people's brokers: prints the table of README.md. It installs them by the names of their packages.
#
#   tests/brokers/run.sh                    all of them
#   tests/brokers/run.sh mosquitto nats     only these
#
# On Debian and its kin, with Node.js, Python and cargo; rumqttd is compiled, which takes a few minutes. All of them listen on loopback.
set -euo pipefail
cd "$(dirname "$0")/../.."

brokers=("$@")
[ "${#brokers[@]}" -gt 0 ] || brokers=(mosquitto rabbitmq ejabberd nats aedes amqtt rumqttd)
: "${CARGO_TARGET_DIR:=$PWD/target}"
export CARGO_TARGET_DIR BROKERS_FOLDER=${BROKERS_FOLDER:-$CARGO_TARGET_DIR/brokers}
export PATH=$PATH:/usr/sbin
mkdir -p "$BROKERS_FOLDER"

# Installs a Debian package, without a service that runs by itself.
debian() {
  dpkg -s "$1" >/dev/null 2>&1 && return
  echo "-- installing $1" >&2
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get -o DPkg::Lock::Timeout=500 install -q -y --no-install-recommends "$1" >&2
}

for broker in "${brokers[@]}"; do
  case $broker in
    mosquitto) debian mosquitto ;;
    rabbitmq) debian rabbitmq-server ;;
    ejabberd) debian ejabberd ;;
    nats) debian nats-server ;;
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
        # Not with the versions that it locks: one of them does not compile with Rust 1.95.
        cargo install --quiet --debug --root "$BROKERS_FOLDER/cargo" rumqttd@0.20.0
      } ;;
    *)
      echo "tests/brokers/run.sh: there is no $broker" >&2
      exit 1
      ;;
  esac
done
cargo build --quiet --locked --manifest-path tests/brokers/Cargo.toml
"$CARGO_TARGET_DIR/debug/brokers" "${brokers[@]}"
