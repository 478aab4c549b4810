//! The client in virtual time, against a server that the test plays: one file for each kind of behaviour.

mod backlogs;
mod both_directions;
mod brokers;
mod bursts;
#[path = "../common/choices.rs"]
mod choices;
mod connecting;
mod cursor;
mod disconnecting;
mod durable;
mod explored;
mod giving_up;
mod handlers;
mod harness;
mod identifiers;
mod images;
mod inbound_room;
mod keep_alive;
mod large;
mod limits_of_servers;
mod lost_links;
mod manual;
mod model;
mod mqtt31;
mod offered;
mod outbound;
mod pitfalls;
mod publishing;
mod receiving;
mod reconnecting;
mod refusals;
mod release_order;

mod routing;
mod same_reader;
mod saving;
mod session_loss;
mod soak;
mod storage;
mod streaming;
mod subscribing;
mod texts;
mod timeouts;
mod turned_off;
