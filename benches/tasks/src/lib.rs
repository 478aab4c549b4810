//! The commonest tasks, each as a function, with four libraries. All of them end with an error where something goes wrong, and none of
//! them leaves out what the library needs for that. `lines.py` counts what is between their braces.

pub mod with_baremqtt;
pub mod with_minimq;
pub mod with_rumqttc;
pub mod with_rust_mqtt;
