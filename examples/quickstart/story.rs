//! What Alice and Bob do.

use std::error::Error;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use baremqtt::{Connect, Message, QoS, Version, Will};

use crate::person::{Heard, Person};
use crate::print;

/// User name and password.
type Login = Option<(String, String)>;

/// What Alice and Bob do.
pub struct Story {
    broker: String,
    version: Version,
    alice_login: Login,
    bob_login: Login,
    /// Makes this run's topics and client identifiers unique; it is appended to them.
    mark: String,
}

/// Every QoS, in ascending order.
const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

impl Story {
    pub fn new(broker: String, version: Version, [alice_login, bob_login]: [Login; 2]) -> Self {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        let mark = format!("{:x}", clock ^ process::id().rotate_left(16));
        Story { broker, version, alice_login, bob_login, mark }
    }

    fn topic(&self, name: &str) -> String {
        format!("quickstart/{}/{name}", self.mark)
    }

    fn connect(
        &self,
        name: &'static str,
        login: &Login,
        will: Option<Will<'_>>,
    ) -> Result<Person, Box<dyn Error>> {
        let client_id = format!("{}-{}", name.to_lowercase(), self.mark);
        let mut connect = Connect { will, ..Connect::new(&client_id).version(self.version).keep_alive(30) };
        if let Some((user, password)) = login {
            connect = connect.credentials(user, password.as_bytes());
        }
        Person::connect(name, &self.broker, &connect)
    }

    /// The whole story. Anything unexpected is an error.
    pub fn tell(&self) -> Result<(), Box<dyn Error>> {
        let (notice, status) = (self.topic("notice"), self.topic("status"));
        let mut alice = self.connect("Alice", &self.alice_login, None)?;
        let will = Will::new(&status, b"Bob is gone").qos(QoS::AtLeastOnce);
        let mut bob = self.connect("Bob", &self.bob_login, Some(will))?;
        self.chat(&mut alice, &mut bob)?;

        chapter("Alice leaves a notice that the broker keeps. Bob subscribes to it later.");
        alice.publish(&Message::new(&notice, b"Tea at five").qos(QoS::AtLeastOnce).retain())?;
        let granted = bob.subscribe(&notice, QoS::AtLeastOnce)?;
        let expected = Heard { retained: true, ..heard(&notice, "Tea at five", granted) };
        expect(bob.hear()?, expected)?;

        chapter("Bob gave the broker his will when he connected. Now his link breaks.");
        let granted = alice.subscribe(&status, QoS::AtLeastOnce)?;
        bob.vanish();
        expect(alice.hear()?, heard(&status, "Bob is gone", granted))?;

        chapter("Alice takes her notice down with an empty one, and leaves.");
        alice.publish(&Message::new(&notice, b"").qos(QoS::AtLeastOnce).retain())?;
        alice.leave()?;
        print(format_args!("\nAll that was said has arrived."));
        Ok(())
    }

    /// Everybody subscribes to the topic with their own name, and they write to each other at every QoS.
    fn chat(&self, alice: &mut Person, bob: &mut Person) -> Result<(), Box<dyn Error>> {
        let (to_alice, to_bob) = (self.topic("alice"), self.topic("bob"));
        let alice_granted = alice.subscribe(&to_alice, QoS::ExactlyOnce)?;
        let bob_granted = bob.subscribe(&to_bob, QoS::ExactlyOnce)?;
        let lines = [
            ("Hello Bob!", "Hello Alice!"),
            ("At QoS 1 this may arrive twice.", "Better than not at all."),
            ("And at QoS 2, exactly once.", "That is all one can wish for."),
        ];
        for (qos, (question, answer)) in QOS.into_iter().zip(lines) {
            chapter(&format!("At QoS {qos}:"));
            alice.publish(&Message::new(&to_bob, question.as_bytes()).qos(qos))?;
            expect(bob.hear()?, heard(&to_bob, question, qos.min(bob_granted)))?;
            bob.publish(&Message::new(&to_alice, answer.as_bytes()).qos(qos))?;
            expect(alice.hear()?, heard(&to_alice, answer, qos.min(alice_granted)))?;
        }
        Ok(())
    }
}

fn chapter(title: &str) {
    print(format_args!("\n{title}"));
}

fn heard(topic: &str, text: &str, qos: QoS) -> Heard {
    Heard { topic: topic.to_owned(), text: text.to_owned(), qos, retained: false }
}

fn expect(heard: Heard, expected: Heard) -> Result<(), Box<dyn Error>> {
    if heard == expected {
        Ok(())
    } else {
        Err(format!("this should have come instead: {expected:?}").into())
    }
}
