//! Links that are lost, refused, stopped, and re-established.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use baremqtt::codec::{Delivery, Packet, Publish};
use baremqtt::transport::asynch::{Connection, Runner};
use baremqtt::transport::{Error, GaveUp, HandleError, Update, WaitError};
use baremqtt::{
    Backoff, Buffers, Client, Connect, ConnectError, Error as ClientError, Event, Message, Outbound,
    PacketId, QoS, RefusalCode, RequestError, Routes, State, StreamedMessage, Subscription, TopicName,
};

use crate::live_link::CONNECT;
use crate::world::Step::{self, Block, Fail, Hang, Move};
use crate::world::{
    Choices, Fault, Handle, SingleObject, StreamBehaviour, Task, World, handle, handle_with, yield_now,
};

const BACKOFF: Backoff = Backoff::new(100, 60_000);
const UNLIMITED: &[Step] = &[Move(usize::MAX)];

type Ended = Result<(), GaveUp<Fault>>;

/// Runs links one after the other; the behaviour of each is chosen by its number.
async fn run_links(
    world: &World,
    mqtt: &Handle,
    connect: &Connect<'_>,
    behaviour: impl Fn(usize) -> StreamBehaviour,
    handler: impl FnMut(Update<'_, Fault>, &mut Outbound<'_, Choices>) -> Result<(), Error<Fault>>,
) -> Ended {
    let mut runner = Runner::new(mqtt, world.clone(), [0; 64], BACKOFF.limit(20));
    runner
        .run(
            async |link| {
                let (input, output) = world.open(behaviour(world.link_count()));
                link.run(input, output, connect).await
            },
            handler,
        )
        .await
}

/// A handler that has nothing to do.
fn ignore(_: Update<'_, Fault>, _: &mut Outbound<'_, Choices>) -> Result<(), Error<Fault>> {
    Ok(())
}

/// Runs one task, to its end.
fn run(world: &World, task: impl Future<Output = ()>) {
    world.run(vec![Box::pin(task)]);
}

#[test]
fn after_a_failed_write_received_messages_are_delivered() {
    let (world, mqtt) = (World::default(), handle());
    let reported = RefCell::new(Vec::new());
    let broken = StreamBehaviour(&[Move(5)], &[Move(64), Fail(Fault::Reset)], UNLIMITED);
    let handler = |update: Update<'_, Fault>, outbound: &mut Outbound<'_, Choices>| {
        reported.borrow_mut().push(match update {
            Update::Event(Event::Connected { .. }) => {
                let topic = TopicName::new("t").unwrap();
                for payload in [b"one", b"two"] {
                    let delivery = Delivery::AtMostOnce;
                    world.last_link().send(&Packet::Publish(Publish {
                        delivery,
                        retain: false,
                        topic,
                        payload,
                    }));
                }
                // This one cannot be sent.
                outbound.publish(&Message::new("t", b""))?;
                "connected".into()
            }
            Update::Event(Event::Message(message)) => String::from_utf8_lossy(message.payload).into_owned(),
            Update::LinkLost { error, .. } => {
                mqtt.stop();
                error.to_string()
            }
            other => format!("{other:?}"),
        });
        Ok(())
    };
    run(&world, async { assert_eq!(run_links(&world, &mqtt, &CONNECT, |_| broken, handler).await, Ok(())) });
    assert_eq!(*reported.borrow(), ["connected", "one", "two", "Reset"]);
}

#[test]
fn waiting_for_a_message_survives_lost_links() {
    for broken in [
        StreamBehaviour(UNLIMITED, &[Move(64), Fail(Fault::Reset)], UNLIMITED),
        StreamBehaviour(UNLIMITED, &[Move(64), Move(0)], UNLIMITED),
        StreamBehaviour(&[Move(64), Fail(Fault::Reset)], UNLIMITED, UNLIMITED),
        StreamBehaviour(UNLIMITED, UNLIMITED, &[Move(1), Fail(Fault::Reset)]),
    ] {
        let (world, mqtt) = (World::default(), handle());
        let lost = RefCell::new(Vec::new());
        let runner_task: Task<'_> = Box::pin(async {
            let behaviour = |link| if link == 0 { broken } else { StreamBehaviour::IMMEDIATE };
            let handler = |update: Update<'_, Fault>, _: &mut Outbound<'_, Choices>| {
                if let Update::LinkLost { error, .. } = update {
                    lost.borrow_mut().push(error);
                }
                Ok(())
            };
            assert_eq!(run_links(&world, &mqtt, &CONNECT, behaviour, handler).await, Ok(()));
        });
        let publisher: Task<'_> = Box::pin(async {
            let message = Message::new("t", b"there").at_least_once();
            assert_eq!(mqtt.publish_and_wait(&message).await, Ok(()));
            mqtt.stop();
        });
        world.run(vec![runner_task, publisher]);
        let lost = lost.into_inner();
        assert!(matches!(lost[..], [Error::Io(Fault::Reset) | Error::Closed]), "{lost:?}");
    }
}

#[test]
fn retry_delays_grow_with_a_server_that_accepts_and_closes() {
    let (world, mqtt) = (World::default(), handle());
    let handler = |update: Update<'_, Fault>, _: &mut Outbound<'_, Choices>| {
        if let Update::Event(Event::Connected { .. }) = update {
            world.last_link().close();
        }
        if world.now() > 60_000 {
            mqtt.stop();
        }
        Ok(())
    };
    run(&world, async {
        assert_eq!(run_links(&world, &mqtt, &CONNECT, |_| StreamBehaviour::IMMEDIATE, handler).await, Ok(()))
    });
    assert!((5..=15).contains(&world.link_count()), "{} in a minute", world.link_count());
}

/// Even for longer than half the range of the clock, and without keep alive.
#[test]
fn after_a_connection_of_a_month_the_next_attempt_is_soon() {
    for keep_alive in [u16::MAX, 0] {
        let (world, mqtt) = (World::default(), handle());
        let delays = RefCell::new(Vec::new());
        let handler = |update: Update<'_, Fault>, _: &mut Outbound<'_, Choices>| {
            match update {
                Update::Event(Event::Connected { .. }) if world.link_count() <= 5 => {
                    world.last_link().close();
                }
                Update::LinkLost { retry_in, .. } => delays.borrow_mut().push(retry_in.as_millis()),
                _ => {}
            }
            if world.link_count() == 6 && delays.borrow().len() == 6 {
                mqtt.stop();
            }
            Ok(())
        };
        let connect = CONNECT.keep_alive(keep_alive);
        let runner_task: Task<'_> = Box::pin(async {
            let ended = run_links(&world, &mqtt, &connect, |_| StreamBehaviour::IMMEDIATE, handler).await;
            assert_eq!(ended, Ok(()));
        });
        let closer: Task<'_> = Box::pin(async {
            world.sleep(30 * 86_400_000).await;
            world.last_link().close();
        });
        world.run(vec![runner_task, closer]);
        let delays = delays.into_inner();
        assert!(delays[4] >= 1_000 && delays[5] <= 100, "keep alive {keep_alive}: {delays:?}");
    }
}

/// Nothing happens meanwhile, and the clock cannot measure as much at once.
#[test]
fn a_timeout_of_forty_days_ends_after_forty_days() {
    const DAYS: u32 = 40 * 86_400_000;
    let world = World::default();
    run(&world, async {
        let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
        let client = Client::new(Buffers { rx: [0; 64], tx: [0; 64] });
        let mut mqtt = Connection::new(input, output, client, world.clone());
        mqtt.connect(&CONNECT.keep_alive(0)).unwrap();
        assert!(matches!(mqtt.next_event(None).await, Ok(Some(Event::Connected { .. }))));
        let ended = mqtt.next_event(Some(Duration::from_millis(DAYS.into()))).await;
        assert!(matches!(ended, Ok(None)), "{ended:?}");
    });
    assert_eq!(world.now(), DAYS);
}

#[test]
fn filters_are_resubscribed_on_each_link() {
    let (world, mqtt) = (World::default(), handle());
    let mut routes = Routes::<_, (), 2>::new();
    routes.add("a", QoS::AtLeastOnce, ()).unwrap();
    routes.add("b", QoS::AtMostOnce, ()).unwrap();
    let handler = |update: Update<'_, Fault>, outbound: &mut Outbound<'_, Choices>| {
        if let Update::Event(event) = update {
            routes.note(&event);
            if let Event::Subscribed { .. } = event {
                let granted = Some(Subscription::Granted { qos: QoS::AtMostOnce });
                assert_eq!(routes.subscription("b"), granted);
                if world.link_count() == 3 { mqtt.stop() } else { world.last_link().close() }
            }
        }
        Ok(routes.subscribe(outbound)?)
    };
    run(&world, async {
        assert_eq!(run_links(&world, &mqtt, &CONNECT, |_| StreamBehaviour::IMMEDIATE, handler).await, Ok(()))
    });
    assert_eq!(world.count("SUBSCRIBE"), 3, "one for each link");
}

#[test]
fn stop_works_in_every_phase() {
    /// What the runner is doing when it is stopped.
    #[derive(Clone, Copy, Debug)]
    enum Phase {
        Opening,
        Connecting,
        Idle,
        Writing,
        Flushing,
        BetweenLinks,
    }
    use Phase::{BetweenLinks, Connecting, Flushing, Idle, Opening, Writing};
    for phase in [Opening, Connecting, Idle, Writing, Flushing, BetweenLinks] {
        let (world, mqtt) = (World::default(), handle());
        let ended_at = Cell::new(0);
        let runner_task: Task<'_> = Box::pin(async {
            let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], Backoff::new(9_000, 9_000));
            let ended = runner.run(
                async |link| {
                    let (input, output) = world.open(match phase {
                        Opening => pending().await,
                        BetweenLinks => return Err(Error::Closed),
                        Connecting => StreamBehaviour(&[Hang], UNLIMITED, UNLIMITED),
                        Writing => StreamBehaviour(UNLIMITED, &[Move(64), Hang], UNLIMITED),
                        Flushing => StreamBehaviour(UNLIMITED, UNLIMITED, &[Move(1), Hang]),
                        Idle => StreamBehaviour::IMMEDIATE,
                    });
                    link.run(input, output, &CONNECT).await
                },
                ignore,
            );
            assert_eq!(ended.await, Ok(()));
            ended_at.set(world.now());
        });
        let stopper: Task<'_> = Box::pin(async {
            mqtt.publish(&Message::new("t", b"waits").at_least_once()).await.unwrap();
            world.sleep(1_000).await;
            mqtt.stop();
        });
        world.run(vec![runner_task, stopper]);
        assert!((1_000..=1_200).contains(&ended_at.get()), "{phase:?}: {}", ended_at.get());
        assert_eq!(world.count("DISCONNECT"), usize::from(matches!(phase, Idle | Connecting)), "{phase:?}");
        run(&world, async {
            let late = mqtt.publish(&Message::new("t", b"late").at_least_once()).await;
            assert_eq!(late, Err(HandleError::Stopped), "it would never be sent");
        });
        let in_flight = usize::from(!matches!(phase, Idle));
        assert_eq!(mqtt.into_client().in_flight(), in_flight, "{phase:?}: the message stays in the session");
    }
}

#[test]
fn permanent_refusals_end_the_runner() {
    for (code, is_final) in
        [(RefusalCode::BAD_USER_NAME_OR_PASSWORD, true), (RefusalCode::SERVER_UNAVAILABLE, false)]
    {
        let (world, mqtt) = (World::default(), handle());
        let runner_task: Task<'_> = Box::pin(async {
            let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF.limit(4));
            let ended = runner.run(
                async |link| {
                    let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                    world.last_link().peer.refusal = Some(code);
                    link.run(input, output, &CONNECT).await
                },
                ignore,
            );
            let refused = Error::Client(ClientError::Refused(code));
            let expected = if is_final { GaveUp::Refused(code) } else { GaveUp::Limit(refused) };
            assert_eq!(ended.await, Err(expected));
        });
        let waiter: Task<'_> = Box::pin(async {
            let message = Message::new("t", b"").at_least_once();
            assert_eq!(mqtt.publish_and_wait(&message).await, Err(HandleError::Stopped));
        });
        world.run(vec![waiter, runner_task]);
        assert_eq!(world.link_count(), if is_final { 1 } else { 5 });
    }
}

/// The end of the stream is read right after CONNACK, before the client has processed it.
#[test]
fn connack_is_processed_even_if_the_server_closes_at_once() {
    let (world, mqtt) = (World::default(), handle());
    for is_single_object in [false, true] {
        run(&world, async {
            let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF.limit(4));
            let ended = runner.run(
                async |link| {
                    let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                    world.last_link().peer.refusal = Some(RefusalCode::NOT_AUTHORIZED);
                    world.last_link().closes_after = 1;
                    if is_single_object {
                        link.run_cancel_safe(SingleObject(input), &CONNECT).await
                    } else {
                        link.run(input, output, &CONNECT).await
                    }
                },
                ignore,
            );
            assert_eq!(
                ended.await,
                Err(GaveUp::Refused(RefusalCode::NOT_AUTHORIZED)),
                "single object: {is_single_object}"
            );
        });
    }
}

#[test]
fn the_runner_falls_back_to_mqtt_3_1_whatever_failed_before() {
    let (world, mqtt) = (World::default(), handle());
    let attempts = Cell::new(0);
    run(&world, async {
        let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF).fall_back_to_mqtt31();
        let ended = runner.run(
            async |link| {
                attempts.set(attempts.get() + 1);
                if attempts.get() == 1 {
                    return Err(Error::Closed);
                }
                let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                if attempts.get() == 2 {
                    world.last_link().peer.refusal = Some(RefusalCode::UNACCEPTABLE_PROTOCOL_VERSION);
                }
                link.run(input, output, &CONNECT).await
            },
            |update, _| {
                if let Update::Event(Event::Connected { session_present }) = update {
                    assert_eq!(session_present, None, "3.1 does not say");
                    mqtt.stop();
                }
                Ok(())
            },
        );
        assert_eq!(ended.await, Ok(()));
    });
    let seen = world.received_packets();
    assert!(seen[0].contains("3.1.1") && !seen[1].contains("3.1.1"), "{seen:?}");
}

#[test]
fn an_invalid_connect_or_a_failed_handler_ends_the_runner() {
    let (world, mqtt) = (World::default(), handle());
    run(&world, async {
        let endless = "x".repeat(200);
        let ended =
            run_links(&world, &mqtt, &Connect::new(&endless), |_| StreamBehaviour::IMMEDIATE, ignore).await;
        assert!(matches!(ended, Err(GaveUp::Connect(ConnectError::TooLarge { .. }))), "{ended:?}");

        let ended = run_links(
            &world,
            &mqtt,
            &CONNECT,
            |_| StreamBehaviour::IMMEDIATE,
            |_, outbound| {
                outbound.publish(&Message::new("not/+/allowed", b""))?;
                Ok(())
            },
        );
        let refused = matches!(ended.await, Err(GaveUp::Handler(Error::Request(RequestError::Forbidden(_)))));
        assert!(refused, "a handler can end it");

        let ended =
            run_links(&world, &mqtt, &CONNECT, |_| StreamBehaviour::IMMEDIATE, |_, _| Err(Error::Closed));
        assert_eq!(ended.await, Err(GaveUp::Handler(Error::Closed)), "whatever it fails with");

        let mut runner = Runner::new(&mqtt, world.clone(), [0; 1], BACKOFF);
        let ended = runner.run(
            async |link| {
                let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                link.run(input, output, &CONNECT).await
            },
            ignore,
        );
        let too_small = ConnectError::TooLarge { needed: 2, room: 1 };
        assert_eq!(
            ended.await,
            Err(GaveUp::Connect(too_small)),
            "nothing can pass, however often it is tried"
        );
    });
}

#[test]
fn a_runner_that_is_dropped_leaves_the_session_to_the_next() {
    let (world, mqtt) = (World::default(), handle());
    let message = Message::new("t", b"kept").at_least_once();
    let unresponsive = StreamBehaviour(&[Hang], UNLIMITED, UNLIMITED);
    let runner_task: Task<'_> = Box::pin(async {
        let _ = run_links(&world, &mqtt, &CONNECT, |_| unresponsive, ignore).await;
        panic!("it was dropped");
    });
    let publisher: Task<'_> = Box::pin(async {
        assert_eq!(
            mqtt.publish_and_wait(&message).await,
            Err(HandleError::Stopped),
            "no task is left waiting"
        );
    });
    {
        // The first task ends the run; the second continues below.
        let timer: Task<'_> = Box::pin(world.sleep(500));
        let (_, mut rest) = world.run_until_first(vec![timer, runner_task, publisher]);
        drop(rest.remove(0));
        world.run(rest);
    }
    assert_eq!(world.count("PUBLISH"), 0);
    run(&world, async {
        let handler = |update: Update<'_, Fault>, _: &mut Outbound<'_, Choices>| {
            if let Update::Event(Event::Published { .. }) = update {
                mqtt.stop();
            }
            Ok(())
        };
        assert_eq!(run_links(&world, &mqtt, &CONNECT, |_| StreamBehaviour::IMMEDIATE, handler).await, Ok(()));
    });
    assert_eq!(world.count("PUBLISH"), 1, "by the second");
}

#[test]
fn a_second_runner_is_refused_and_the_first_continues() {
    let (world, mqtt) = (World::default(), handle());
    let runner_task: Task<'_> = Box::pin(async {
        assert_eq!(run_links(&world, &mqtt, &CONNECT, |_| StreamBehaviour::IMMEDIATE, ignore).await, Ok(()));
    });
    let second: Task<'_> = Box::pin(async {
        world.sleep(10).await;
        let refused = run_links(&world, &mqtt, &CONNECT, |_| StreamBehaviour::IMMEDIATE, ignore).await;
        assert_eq!(refused, Err(GaveUp::AlreadyRunning));
        let message = Message::new("t", b"by the first").exactly_once();
        assert_eq!(mqtt.publish_and_wait(&message).await, Ok(()));
        mqtt.stop();
    });
    world.run(vec![runner_task, second]);
    assert_eq!(world.link_count(), 1);
}

#[test]
fn waiting_ends_even_if_losses_are_not_reported() {
    let (world, mqtt) = (World::default(), handle_with(512, Choices { hides_losses: true }));
    let runner_task: Task<'_> = Box::pin(async {
        // The first link accepts the message, and answers only with CONNACK.
        let behaviour = |link| {
            if link == 0 {
                StreamBehaviour(&[Move(4), Hang], UNLIMITED, UNLIMITED)
            } else {
                StreamBehaviour::IMMEDIATE
            }
        };
        let ended = run_links(&world, &mqtt, &Connect::new("c").keep_alive(60), behaviour, ignore).await;
        assert_eq!(ended, Ok(()));
    });
    let waiter: Task<'_> = Box::pin(async {
        let message = Message::new("t", b"lost").at_least_once();
        world.sleep(10).await;
        assert_eq!(mqtt.publish_and_wait(&message).await, Err(WaitError::GivenUp.into()));
        mqtt.stop();
    });
    world.run(vec![runner_task, waiter]);
}

/// A link on which nothing can be sent after CONNECT. It fails, or its future is dropped. The next attempt never ends.
async fn run_one_link(
    world: &World,
    mqtt: &Handle,
    fails: bool,
    handler: impl FnMut(Update<'_, Fault>, &mut Outbound<'_, Choices>) -> Result<(), Error<Fault>>,
) {
    const FAILS: &[Step] = &[Move(64), Fail(Fault::Reset)];
    let mut runner = Runner::new(mqtt, world.clone(), [0; 64], BACKOFF);
    let ended = runner
        .run(
            async |link| {
                if world.link_count() == 1 {
                    pending::<()>().await;
                }
                let writes = if fails { FAILS } else { &[Move(64), Hang] };
                let (input, output) = world.open(StreamBehaviour(UNLIMITED, writes, UNLIMITED));
                let mut link = pin!(link.run(input, output, &CONNECT));
                let mut limit = pin!(world.sleep(5_000));
                poll_fn(|cx| match link.as_mut().poll(cx) {
                    Poll::Pending => limit.as_mut().poll(cx).map(|()| Err(Error::Closed)),
                    ended => ended,
                })
                .await
            },
            handler,
        )
        .await;
    unreachable!("{ended:?}");
}

#[test]
fn waiting_for_a_message_ends_when_it_is_given_up_while_offline() {
    for fails in [true, false] {
        let (world, mqtt) = (World::default(), handle());
        let handler = |update: Update<'_, Fault>, outbound: &mut Outbound<'_, Choices>| {
            if let Update::LinkLost { .. } = update {
                let id = outbound.under_way().next().expect("the message").id;
                outbound.give_up(id).expect("it is not being sent");
            }
            Ok(())
        };
        let waiter: Task<'_> = Box::pin(async {
            let ended = mqtt.publish_and_wait(&Message::new("t", b"").at_least_once()).await;
            assert_eq!(ended, Err(HandleError::Refused(WaitError::GivenUp)));
        });
        world.run(vec![waiter, Box::pin(run_one_link(&world, &mqtt, fails, handler))]);
    }
}

#[test]
fn room_that_a_lost_link_makes_is_used_while_offline() {
    for fails in [true, false] {
        let (world, mqtt) = (World::default(), handle_with(128, Choices::default()));
        let waiter: Task<'_> = Box::pin(async {
            while mqtt.with(|client| client.state()).await != State::Connected {
                world.sleep(1).await;
            }
            // This ends with the link.
            let filter = "f".repeat(60);
            mqtt.subscribe(&[(&filter, QoS::AtMostOnce)]).await.expect("room");
            let queued = mqtt.publish(&Message::new("t", &[b'x'; 60]).at_least_once()).await;
            assert!(queued.is_ok_and(|id| id.is_some()));
            assert!(world.now() < 10_000);
        });
        let ignore = |_: Update<'_, Fault>, _: &mut Outbound<'_, Choices>| Ok(());
        world.run(vec![waiter, Box::pin(run_one_link(&world, &mqtt, fails, ignore))]);
    }
}

#[test]
fn an_update_is_not_lost_with_the_link() {
    let (world, mqtt) = (World::default(), handle());
    let runner_task: Task<'_> = Box::pin(async {
        let handler = |update: Update<'_, Fault>, _: &mut Outbound<'_, Choices>| {
            if let Update::Woken = update {
                mqtt.stop();
            }
            Ok(())
        };
        assert_eq!(run_links(&world, &mqtt, &CONNECT, |_| StreamBehaviour::IMMEDIATE, handler).await, Ok(()));
        assert!(world.now() < 60_000);
    });
    let wakes: Task<'_> = Box::pin(async {
        world.sleep(10).await;
        world.last_link().close();
        mqtt.wake();
    });
    world.run(vec![runner_task, wakes]);
}

/// Forwards wakes while there is a future that wants them, as combinators that poll several futures do.
struct Forwards(Mutex<Option<Waker>>);

impl Wake for Forwards {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().iter().for_each(Waker::wake_by_ref);
    }
}

/// Polls a future with a waker of its own, which is useless after that.
async fn with_own_waker<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let forwards = Arc::new(Forwards(Mutex::new(None)));
    let waker = Waker::from(Arc::clone(&forwards));
    let output = poll_fn(|cx| {
        *forwards.0.lock().unwrap() = Some(cx.waker().clone());
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await;
    *forwards.0.lock().unwrap() = None;
    output
}

/// The waker of the link is useless by then.
#[test]
fn stop_works_while_the_stream_is_being_closed() {
    let (world, mqtt) = (World::default(), handle());
    let runner_task: Task<'_> = Box::pin(async {
        let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF);
        let ended = runner.run(
            async |link| {
                let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                let result = with_own_waker(link.run(input, output, &CONNECT)).await;
                world.sleep(3_600_000).await;
                result
            },
            ignore,
        );
        assert_eq!(ended.await, Ok(()));
    });
    let stops: Task<'_> = Box::pin(async {
        world.sleep(1_000).await;
        world.last_link().close();
        world.sleep(1_000).await;
        mqtt.stop();
    });
    world.run(vec![runner_task, stops]);
    assert!(world.now() < 10_000, "{} ms", world.now());
}

/// A stream can still be closed, for instance, after CONNECT was not even queued.
#[test]
fn stop_works_after_an_invalid_connect() {
    let (world, mqtt) = (World::default(), handle());
    let runner_task: Task<'_> = Box::pin(async {
        let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF);
        let ended = runner.run(
            async |link| {
                let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                let result = link.run(input, output, &Connect::new("").clean_session(false)).await;
                assert!(matches!(result, Err(Error::Connect(_))), "{result:?}");
                world.sleep(3_600_000).await;
                result
            },
            ignore,
        );
        assert_eq!(ended.await, Ok(()));
    });
    let stops: Task<'_> = Box::pin(async {
        world.sleep(1_000).await;
        mqtt.stop();
    });
    world.run(vec![runner_task, stops]);
    assert!(world.now() < 10_000, "{} ms", world.now());
}

#[test]
fn a_handler_can_stop_the_runner_during_a_pause() {
    let (world, mqtt) = (World::default(), handle());
    let runner_task: Task<'_> = Box::pin(async {
        let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], Backoff::new(60_000, 60_000));
        let mut woken = 0;
        let ended = runner
            .run(
                async |_| Err(Error::<Fault>::Closed),
                |update, _| {
                    if let Update::Woken = update {
                        woken += 1;
                        if woken == 1 { mqtt.wake() } else { mqtt.stop() }
                    }
                    Ok(())
                },
            )
            .await;
        assert_eq!((ended, world.now()), (Ok(()), 1_000));
    });
    let wakes: Task<'_> = Box::pin(async {
        world.sleep(1_000).await;
        mqtt.wake();
    });
    world.run(vec![runner_task, wakes]);
}

#[test]
fn room_that_a_task_makes_is_used_while_offline() {
    let (world, mqtt) = (World::default(), handle_with::<8>(128, Choices::default()));
    let message = Message::new("t", &[b'x'; 60]).at_least_once();
    let id = mqtt.try_publish(&message).unwrap().unwrap();
    let waiter: Task<'_> = Box::pin(async {
        assert!(mqtt.publish(&message).await.is_ok());
        assert_eq!(world.now(), 1_000);
    });
    let gives_up: Task<'_> = Box::pin(async {
        world.sleep(1_000).await;
        assert_eq!(mqtt.give_up(id).await, Ok(()));
    });
    let runner_task: Task<'_> = Box::pin(async {
        let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF);
        let _ = runner.run(async |_| pending::<Result<(), Error<Fault>>>().await, ignore).await;
    });
    world.run(vec![waiter, gives_up, runner_task]);
}

/// The server sends it again, and the handler may be able to handle it then.
#[test]
fn a_message_for_which_the_handler_fails_is_delivered_again() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let (world, mqtt, calls) = (World::default(), handle(), Cell::new(0));
        let handler = |update: Update<'_, Fault>, outbound: &mut Outbound<'_, Choices>| {
            let id = PacketId::new(7).unwrap();
            match update {
                Update::Event(Event::Connected { .. }) => {
                    let dup = calls.get() > 0;
                    let delivery = match qos {
                        QoS::ExactlyOnce => Delivery::ExactlyOnce { id, dup },
                        _ => Delivery::AtLeastOnce { id, dup },
                    };
                    let topic = TopicName::new("t").unwrap();
                    let publish = Publish { delivery, retain: false, topic, payload: b"" };
                    world.last_link().send(&Packet::Publish(publish));
                }
                Update::Event(Event::Message(_)) => {
                    calls.set(calls.get() + 1);
                    if calls.get() == 1 {
                        return Err("the disk is full".into());
                    }
                    outbound.finish();
                }
                _ => {}
            }
            Ok(())
        };
        let task = async {
            let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF);
            for expected in [Err(GaveUp::Handler(Error::Application("the disk is full"))), Ok(())] {
                let connect = runner.run(
                    async |link| {
                        let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                        world.last_link().peer.keeps_session = true;
                        link.run(input, output, &CONNECT).await
                    },
                    handler,
                );
                assert_eq!(connect.await, expected);
            }
        };
        // It would wait forever for a message that is not delivered.
        let limit = async {
            world.sleep(60_000).await;
            panic!("{qos:?}: {:?}", world.received_packets());
        };
        world.run(vec![Box::pin(task), Box::pin(limit)]);
        let answers = world.count("PUBACK") + world.count("PUBREC");
        assert_eq!((answers, world.link_count()), (1, 2));
    }
}

#[test]
fn the_rest_of_a_payload_is_requested_while_finishing() {
    let (world, mqtt) = (World::default(), handle_with(160, Choices::default()));
    let mut left = 500;
    let handler = |update: Update<'_, Fault>, outbound: &mut Outbound<'_, Choices>| {
        match update {
            Update::Event(Event::Connected { .. }) => {
                outbound.publish_streamed(&StreamedMessage::new("t", left))?;
                outbound.finish();
            }
            Update::Event(Event::StreamReady { .. }) | Update::AllSent if left > 0 => {
                left -= outbound.write_payload(&vec![b'x'; left])?;
            }
            _ => {}
        }
        Ok(())
    };
    run(&world, async {
        assert_eq!(run_links(&world, &mqtt, &CONNECT, |_| StreamBehaviour::IMMEDIATE, handler).await, Ok(()));
    });
    assert_eq!((world.count("PUBLISH"), world.count("DISCONNECT")), (1, 1));
}

/// The server closes as soon as it has received DISCONNECT, before the client knows that it was flushed.
#[test]
fn the_end_of_the_stream_after_disconnect_is_no_lost_link() {
    const FLUSHES: &[Step] = &[Move(1), Block, Block, Block, Block, Move(1)];
    let (world, mqtt, has_disconnected) = (World::default(), handle(), Cell::new(false));
    let runner_task: Task<'_> = Box::pin(async {
        let behaviour = StreamBehaviour(UNLIMITED, UNLIMITED, FLUSHES);
        let handler = |update: Update<'_, Fault>, outbound: &mut Outbound<'_, Choices>| {
            if let Update::Event(Event::Connected { .. }) = update {
                outbound.disconnect();
                has_disconnected.set(true);
            }
            Ok(())
        };
        assert_eq!(run_links(&world, &mqtt, &CONNECT, |_| behaviour, handler).await, Ok(()));
    });
    let is_closed = Cell::new(false);
    let closes: Task<'_> = Box::pin(async {
        while !has_disconnected.get() || mqtt.with(|client| client.state()).await != State::Offline {
            yield_now().await;
        }
        world.last_link().close();
        is_closed.set(true);
    });
    world.run(vec![runner_task, closes]);
    assert_eq!((world.link_count(), is_closed.get()), (1, true));
}
