//! The most common tasks, each as a function, with four libraries. All of them return an error if something goes wrong, and include
//! everything that the library needs for that. `lines.py` counts the lines between their braces.

pub mod with_baremqtt;
pub mod with_minimq;
pub mod with_rumqttc;
pub mod with_rust_mqtt;
