//! `finish` and `disconnect` end the runner, whatever happens to the link meanwhile.

use std::cell::{Cell, RefCell};
use std::future::pending;

use baremqtt::transport::asynch::Runner;
use baremqtt::transport::{Error, GaveUp, Update};
use baremqtt::{Backoff, Event, Message, Outbound, StreamedMessage};

use crate::live_link::CONNECT;
use crate::world::Step::{Fail, Hang, Move};
use crate::world::{Choices, Fault, Handle, StreamBehaviour, Task, World, handle, handle_with};

const UNLIMITED: &[crate::world::Step] = &[Move(usize::MAX)];
/// Only CONNECT is sent.
const NOTHING_SENT: StreamBehaviour = StreamBehaviour(UNLIMITED, &[Move(18), Hang], &[Move(1)]);
const CONFIRMED: Message<'static> = Message::new("t", b"").at_least_once();

type Ended = Result<(), GaveUp<Fault>>;
type Handler<'a> = &'a dyn Fn(Update<'_, Fault>, &mut Outbound<'_, Choices>) -> Result<(), Error<Fault>>;

/// Runs a runner that has to end by itself, next to what the application does. The first link has this behaviour, the others none.
fn ends(world: &World, mqtt: &Handle, first: StreamBehaviour, handler: Handler<'_>, application: Task<'_>) {
    let runner: Task<'_> = Box::pin(async {
        let mut runner = Runner::new(mqtt, world.clone(), [0; 64], Backoff::new(10_000, 10_000));
        let ended: Ended = runner
            .run(
                async |link| {
                    let behaviour = if world.link_count() == 0 { first } else { StreamBehaviour::IMMEDIATE };
                    let (input, output) = world.open(behaviour);
                    link.run(input, output, &CONNECT).await
                },
                handler,
            )
            .await;
        assert_eq!(ended, Ok(()));
    });
    world.run(vec![runner, application]);
}

fn ignore(_: Update<'_, Fault>, _: &mut Outbound<'_, Choices>) -> Result<(), Error<Fault>> {
    Ok(())
}

#[test]
fn finish_continues_on_the_next_link() {
    let (world, mqtt) = (World::default(), handle());
    let application = Box::pin(async {
        world.sleep(1_000).await;
        mqtt.try_publish(&CONFIRMED).unwrap();
        mqtt.with(|client| client.finish()).await;
        assert!(mqtt.try_publish(&CONFIRMED).is_err());
        world.last_link().close();
    });
    // Requests at the beginning of a connection are still accepted, so that a handler need not know about this.
    let handler: Handler<'_> = &|update, outbound| {
        if let Update::Event(Event::Connected { .. }) = update {
            outbound.publish(&Message::new("online", b"").at_least_once())?;
        }
        Ok(())
    };
    ends(&world, &mqtt, NOTHING_SENT, handler, application);
    assert_eq!((world.link_count(), world.count("DISCONNECT")), (2, 1));
    assert_eq!(world.count("PUBLISH"), 3, "{:?}", world.received_packets());
    assert_eq!(world.received_packets().last().unwrap(), "DISCONNECT");
}

#[test]
fn finish_needs_no_connection_if_nothing_is_under_way() {
    // While a stream is being opened, and during the pause between two attempts.
    for hangs in [true, false] {
        let (world, mqtt) = (World::default(), handle());
        let runner: Task<'_> = Box::pin(async {
            let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], Backoff::new(10_000, 10_000));
            let ended: Ended =
                runner.run(async |_| if hangs { pending().await } else { Err(Error::Closed) }, ignore).await;
            assert_eq!((ended, world.now()), (Ok(()), 1_000));
        });
        let application: Task<'_> = Box::pin(async {
            world.sleep(1_000).await;
            mqtt.with(|client| client.finish()).await;
        });
        world.run(vec![runner, application]);
    }
}

/// In the pause between two attempts: the next one delivers the message and disconnects.
#[test]
fn finish_waits_for_what_was_queued_offline() {
    for from_handler in [true, false] {
        let (world, mqtt) = (World::default(), handle());
        let refusal: StreamBehaviour = StreamBehaviour(&[Fail(Fault::Reset)], UNLIMITED, &[Move(1)]);
        let application = Box::pin(async {
            world.sleep(1_000).await;
            if !from_handler {
                mqtt.try_publish(&CONFIRMED).unwrap();
                mqtt.with(|client| client.finish()).await;
            }
        });
        let handler: Handler<'_> = &|update, outbound| {
            if let (Update::LinkLost { .. }, true) = (update, from_handler) {
                outbound.publish(&CONFIRMED)?;
                outbound.finish();
            }
            Ok(())
        };
        ends(&world, &mqtt, refusal, handler, application);
        assert_eq!((world.count("PUBLISH"), world.count("DISCONNECT")), (1, 1));
    }
}

/// A task can be faster than the runner.
#[test]
fn finish_before_the_runner_begins() {
    let (world, mqtt) = (World::default(), handle());
    mqtt.try_publish(&CONFIRMED).unwrap();
    world.run(vec![Box::pin(mqtt.with(|client| client.finish()))]);
    ends(&world, &mqtt, StreamBehaviour::IMMEDIATE, &ignore, Box::pin(async {}));
    assert_eq!((world.count("PUBLISH"), world.count("DISCONNECT")), (1, 1));
}

#[test]
fn another_runner_continues_after_finish() {
    let (world, mqtt) = (World::default(), handle());
    for _ in 0..2 {
        world.run(vec![Box::pin(mqtt.with(|client| client.finish()))]);
        ends(&world, &mqtt, StreamBehaviour::IMMEDIATE, &ignore, Box::pin(async {}));
    }
    assert_eq!(world.link_count(), 0);
    let handler: Handler<'_> = &|update, outbound| {
        if let Update::Event(Event::Connected { .. }) = update {
            outbound.publish(&CONFIRMED)?;
            outbound.finish();
        }
        Ok(())
    };
    ends(&world, &mqtt, StreamBehaviour::IMMEDIATE, handler, Box::pin(async {}));
    assert_eq!((world.count("PUBLISH"), world.count("DISCONNECT")), (1, 1));
}

/// In the middle of a payload DISCONNECT cannot be sent; after a failed write neither; and offline there is nobody to send it to.
#[test]
fn disconnect_ends_the_runner_even_if_it_cannot_be_sent() {
    let (world, mqtt) = (World::default(), handle_with(160, Choices::default()));
    let handler: Handler<'_> = &|update, outbound| {
        match update {
            Update::Event(Event::Connected { .. }) => {
                outbound.publish_streamed(&StreamedMessage::new("t", 500))?;
            }
            Update::Event(Event::StreamReady { .. }) => {
                outbound.write_payload(&[7; 20])?;
            }
            Update::AllSent => outbound.disconnect(),
            _ => {}
        }
        Ok(())
    };
    ends(&world, &mqtt, StreamBehaviour::IMMEDIATE, handler, Box::pin(async {}));
    assert_eq!((world.link_count(), world.count("DISCONNECT")), (1, 0));

    let (world, mqtt) = (World::default(), handle());
    let failing = StreamBehaviour(UNLIMITED, &[Move(18), Fail(Fault::Reset)], &[Move(1)]);
    let application = Box::pin(async {
        world.sleep(1_000).await;
        mqtt.try_publish(&CONFIRMED).unwrap();
        world.sleep(100).await;
        mqtt.with(|client| client.disconnect()).await;
    });
    ends(&world, &mqtt, failing, &ignore, application);
    assert_eq!((world.link_count(), world.count("DISCONNECT")), (1, 0));

    let (world, mqtt) = (World::default(), handle());
    let handler: Handler<'_> = &|update, outbound| {
        if let Update::LinkLost { .. } = update {
            outbound.disconnect();
        }
        Ok(())
    };
    ends(&world, &mqtt, failing, handler, Box::pin(async { mqtt.with(|_| world.last_link().close()).await }));
    assert_eq!((world.link_count(), mqtt.try_publish(&CONFIRMED).is_err()), (1, true), "it has ended");
}

/// What the function returns that has closed the stream does not matter.
#[test]
fn an_error_of_closing_is_no_lost_link() {
    let (world, mqtt) = (World::default(), handle());
    let runner: Task<'_> = Box::pin(async {
        let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], Backoff::new(1, 1));
        let handler = |update: Update<'_, Fault>, outbound: &mut Outbound<'_, Choices>| {
            if let Update::Event(Event::Connected { .. }) = update {
                outbound.finish();
            }
            Ok(())
        };
        let ended: Ended = runner
            .run(
                async |link| {
                    let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                    link.run(input, output, &CONNECT).await?;
                    world.sleep(5_000).await;
                    Err(Error::Io(Fault::Reset))
                },
                handler,
            )
            .await;
        assert_eq!(ended, Ok(()));
        assert_eq!((world.link_count(), world.now()), (1, 5_000), "the stream was closed first");
    });
    world.run(vec![runner]);
}

/// A runner that is stopped lets the stream be closed, but not for long.
#[test]
fn stop_leaves_time_to_close_the_stream() {
    for (closing, is_complete) in [(150, true), (3_600_000, false)] {
        let (world, mqtt, is_closed) = (World::default(), handle(), Cell::new(false));
        let ended_at = RefCell::new(0);
        let runner: Task<'_> = Box::pin(async {
            let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], Backoff::new(1, 1));
            let ended: Ended = runner
                .run(
                    async |link| {
                        let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                        let result = link.run(input, output, &CONNECT).await;
                        world.sleep(closing).await;
                        is_closed.set(true);
                        result
                    },
                    ignore,
                )
                .await;
            assert_eq!(ended, Ok(()));
            *ended_at.borrow_mut() = world.now();
        });
        let application: Task<'_> = Box::pin(async {
            world.sleep(1_000).await;
            mqtt.stop();
        });
        world.run(vec![runner, application]);
        let ended_at = *ended_at.borrow();
        assert_eq!((is_closed.get(), ended_at), (is_complete, 1_000 + closing.min(200)));
    }
}

/// Requests are refused once the runner has been stopped.
#[test]
fn a_handler_that_fails_after_stop_does_not_prevent_disconnect() {
    let (world, mqtt) = (World::default(), handle());
    let handler: Handler<'_> = &|update, outbound| {
        if let Update::Woken = update {
            outbound.publish(&CONFIRMED)?;
        }
        Ok(())
    };
    let application = Box::pin(async {
        world.sleep(1_000).await;
        mqtt.wake();
        mqtt.stop();
    });
    ends(&world, &mqtt, StreamBehaviour::IMMEDIATE, handler, application);
    assert_eq!((world.count("PUBLISH"), world.count("DISCONNECT")), (0, 1));
}
