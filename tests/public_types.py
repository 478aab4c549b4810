"""Checks that all public types consistently have the expected traits, and that values returned only to be looked at are `must_use`,
using rustdoc's output:

    cargo +nightly rustdoc --lib --all-features -- -Zunstable-options --output-format json
    tests/public_types.py target/doc/baremqtt.json
"""

import json
import sys

# Types that are not meant to be printed, or that come with std, whose errors have no Format.
EXEMPT = {
    "codec::suback::SubAckCodesIter": "an iterator",
    "codec::subscribe::SubscribeFiltersIter": "an iterator",
    "codec::unsubscribe::UnsubscribeFiltersIter": "an iterator",
    "session_file::SessionFile": "std",
    "transport::asynch::cell::threads::ThreadCell": "std",
    "transport::asynch::connection::Connection": "holds a stream",
    "transport::asynch::duplex::Duplex": "holds a stream",
    "transport::asynch::handle::Handle": "nothing that can be looked at while others use it",
    "transport::asynch::link::Link": "borrows what runs it",
    "transport::asynch::mailbox::Mailbox": "nothing that can be looked at while others use it",
    "transport::asynch::runner::Runner": "holds a timer",
    "transport::blocking::connection::Connection": "holds a stream",
    "transport::blocking::reconnect::Reconnect": "holds a stream",
    "transport::blocking::streams::Buffered": "holds a function",
    "transport::blocking::streams::WithReady": "holds a function",
    "transport::net::connection::Connection": "std",
    "transport::net::handle::Handle": "std",
    "transport::net::link::Link": "std",
    "transport::net::runner::Runner": "std",
    "transport::polled::connection::Connection": "holds a stream",
    "transport::polled::reconnect::Reconnect": "holds a stream",
}


# Enums that are complete: the protocol and the outcomes that a loop can meet are fixed. All others are non_exhaustive.
CLOSED = {
    "codec::Packet",
    "codec::connack::ConnAck",
    "codec::decode::Decoded",
    "codec::header::PacketType",
    "codec::publish::Delivery",
    "codec::suback::SubAckCode",
    "codec::types::QoS",
    "codec::types::Version",
}


def types(docs):
    """The path of each public type, its kind, whether it is non_exhaustive, and the names of the traits that it has."""
    for key, item in docs["index"].items():
        for kind in ("struct", "enum", "union"):
            if kind in item["inner"] and item["crate_id"] == 0 and key in docs["paths"]:
                path = "::".join(docs["paths"][key]["path"][1:])
                impls = (docs["index"][str(it)]["inner"]["impl"] for it in item["inner"][kind]["impls"])
                traits = {it["trait"]["path"].split("::")[-1] for it in impls if it["trait"]}
                yield path, kind, "non_exhaustive" in json.dumps(item["attrs"]), traits


# These return the value that they replace, which callers may ignore.
REPLACING = {"reopen"}


def forgettable(docs):
    """The functions whose value can be dropped without a warning, each as file and line."""
    for item in docs["index"].values():
        function = item["inner"].get("function")
        if not function or item["crate_id"] != 0 or item["visibility"] != "public" or function["header"]["is_async"]:
            continue
        output = function["sig"]["output"] or {}
        of_itself = "impl_trait" in output or output.get("resolved_path", {}).get("path") in ("Result", "Poll", "nb::Result", "io::Result")
        if output and not of_itself and item["name"] not in REPLACING and "must_use" not in json.dumps(item["attrs"]):
            yield f"{item['span']['filename']}:{item['span']['begin'][0]}: {item['name']} is not must_use"


def faults(path, kind, is_open, traits):
    """The traits that a type lacks."""
    name = path.split("::")[-1]
    if "PartialEq" in traits and not {"Eq", "Hash"} <= traits:
        yield "can be compared, but has no Eq or no Hash"
    if "Debug" not in traits:
        yield "has no Debug"
    if ("Format" in traits) == (path in EXEMPT):
        yield "is exempt without need" if path in EXEMPT else "has no defmt::Format"
    if name.endswith("Error") or name == "GaveUp":
        yield from (f"is an error without {it}" for it in ("Display", "Error") if it not in traits)
        if not is_open:
            yield "is an error that is not non_exhaustive"
    elif kind == "enum" and is_open == (path in CLOSED):
        yield "is not non_exhaustive" if not is_open else "is non_exhaustive, and said to be closed"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        docs = json.load(file)
    found = sorted(types(docs))
    if len(found) < 50:
        sys.exit("the documentation has another form than this script expects")
    gone = (EXEMPT.keys() | CLOSED) - {path for path, *_ in found}
    lines = [f"{path} is not there" for path in sorted(gone)]
    lines += [f"{path} {fault}" for path, *rest in found for fault in faults(path, *rest)]
    lines += sorted(forgettable(docs))
    if lines:
        sys.exit("\n".join(lines))
    print(f"{len(found)} public types have the traits that one expects")


if __name__ == "__main__":
    main()
