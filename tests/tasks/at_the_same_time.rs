//! What another thread does while the runner is being polled: nothing is missed. Without keep alive nothing else happens later that would
//! make up for it.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use baremqtt::transport::asynch::Runner;
use baremqtt::transport::{Error, GaveUp, Update};
use baremqtt::{Backoff, Event, Message, Outbound};

use crate::live_link::CONNECT;
use crate::world::Step::{Block, Move};
use crate::world::{Choices, Fault, Handle, StreamBehaviour, World, handle_with};

const SLOWLY: StreamBehaviour = StreamBehaviour(&[Block, Move(9)], &[Block, Move(9)], &[Block, Move(1)]);

type Mqtt = Rc<Handle<1>>;

/// Opens a stream after a moment; the first attempts fail.
async fn run_links(
    world: &World,
    mqtt: &Handle<1>,
    mut handler: impl FnMut(Update<'_, Fault>, &mut Outbound<'_, Choices>),
) -> Result<(), GaveUp<Fault>> {
    let mut runner = Runner::new(mqtt, world.clone(), [0; 64], Backoff::new(100, 100));
    let mut attempts = 0;
    runner
        .run(
            async |link| {
                attempts += 1;
                world.sleep(10).await;
                if attempts < 3 {
                    return Err(Error::Closed);
                }
                let (input, output) = world.open(SLOWLY);
                link.run(input, output, &CONNECT.keep_alive(0)).await
            },
            |update, outbound| {
                handler(update, outbound);
                Ok(())
            },
        )
        .await
}

/// Runs links, and calls `intrude` at each use of the clock and of the stream. The runner has to end because of that.
fn at_any_use(
    intrude: impl Fn(&Mqtt) + Copy + 'static,
    handler: fn(&Mqtt, Update<'_, Fault>, &mut Outbound<'_, Choices>),
) {
    let is_last = Rc::new(Cell::new(false));
    let mut at = 0;
    while !is_last.get() {
        let (world, mqtt): (_, Mqtt) = (World::default(), Rc::new(handle_with(112, Choices::default())));
        let intruder = Rc::clone(&mqtt);
        world.intrude(at, move || intrude(&intruder));
        let runner = async {
            let ended = run_links(&world, &mqtt, |update, outbound| handler(&mqtt, update, outbound)).await;
            assert_eq!(ended, Ok(()), "at {at}");
        };
        // There are no more uses: it happens while nothing else does.
        let late = async {
            world.sleep(60_000).await;
            if !world.has_intruded() {
                is_last.set(true);
                intrude(&mqtt);
            }
            world.sleep(60_000).await;
            panic!("missed at {at}: {:?}", world.received_packets());
        };
        world.run(vec![Box::pin(runner), Box::pin(late)]);
        at += 1;
    }
    assert!(at > 30, "{at}");
}

#[test]
fn stop() {
    at_any_use(|mqtt| mqtt.stop(), |_, _, _| {});
}

#[test]
fn wake() {
    at_any_use(
        |mqtt| mqtt.wake(),
        |mqtt, update, _| {
            if let Update::Woken = update {
                mqtt.stop();
            }
        },
    );
}

/// While the runner uses the client, the handler publishes instead.
#[test]
fn publish() {
    at_any_use(
        |mqtt| {
            let message = Message::new("t", b"now").at_least_once();
            if mqtt.try_publish(&message).is_err() {
                mqtt.wake();
            }
        },
        |mqtt, update, outbound| match update {
            Update::Woken => _ = outbound.publish(&Message::new("t", b"later").at_least_once()).unwrap(),
            Update::Event(Event::Published { .. }) => mqtt.stop(),
            _ => {}
        },
    );
}

#[test]
fn finish() {
    at_any_use(
        |mqtt| {
            let mut finish = pin!(mqtt.with(|client| client.finish()));
            let is_done = finish.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            if !is_done {
                mqtt.wake();
            }
        },
        |_, update, outbound| {
            if let Update::Woken = update {
                outbound.finish();
            }
        },
    );
}
