"""Checks that every public type of the library has defmt::Format, from what rustdoc knows of it:

    cargo +nightly rustdoc --lib --all-features -- -Zunstable-options --output-format json
    tests/public_types.py target/doc/baremqtt.json
"""

import json
import sys

# What is nothing to be printed, or comes with std, whose errors have no Format.
EXEMPT = {
    "codec::subscribe::SubscribeFiltersIter": "an iterator",
    "codec::unsubscribe::UnsubscribeFiltersIter": "an iterator",
    "transport::asynch::cell::threads::ThreadCell": "std",
    "transport::asynch::connection::Connection": "holds a stream",
    "transport::asynch::duplex::Duplex": "holds a stream",
    "transport::asynch::handle::Handle": "nothing that can be looked at while others use it",
    "transport::asynch::link::Link": "borrows what runs it",
    "transport::asynch::runner::Runner": "holds a timer",
    "transport::blocking::connection::Connection": "holds a stream",
    "transport::blocking::reconnect::Reconnect": "holds a stream",
    "transport::blocking::streams::Buffered": "holds a function",
    "transport::blocking::streams::WithReady": "holds a function",
    "transport::net::Connection": "std",
    "transport::net::reconnect::GaveUp": "std",
    "transport::net::reconnect::Reconnect": "std",
    "transport::net::reconnect::StopHandle": "std",
    "transport::net::reconnect::Update": "std",
    "transport::polled::connection::Connection": "holds a stream",
    "transport::polled::reconnect::Reconnect": "holds a stream",
}


def types(docs):
    """The path of each public type, and the names of the traits that it has."""
    for key, item in docs["index"].items():
        for kind in ("struct", "enum", "union"):
            if kind in item["inner"] and item["crate_id"] == 0 and key in docs["paths"]:
                path = "::".join(docs["paths"][key]["path"][1:])
                impls = (docs["index"][str(it)]["inner"]["impl"] for it in item["inner"][kind]["impls"])
                yield path, {it["trait"]["path"].split("::")[-1] for it in impls if it["trait"]}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        found = dict(types(json.load(file)))
    without = {path for path, traits in found.items() if "Format" not in traits}
    if len(found) - len(without) < 40:
        sys.exit("the documentation has another form than this script expects")
    for path in sorted(without - EXEMPT.keys()):
        print(f"{path} has no defmt::Format")
    for path in sorted(EXEMPT.keys() - without):
        print(f"{path} is exempt without need")
    if without != EXEMPT.keys():
        sys.exit(1)
    print(f"{len(found) - len(without)} public types have defmt::Format")


if __name__ == "__main__":
    main()
