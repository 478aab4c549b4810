//! Requests from many tasks over a link that stays up.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use baremqtt::codec::{Delivery, Packet, Publish};
use baremqtt::transport::asynch::{Mailbox, Runner, Sharing};
use baremqtt::transport::{Error, HandleError, Update, WaitError};
use baremqtt::{
    Backoff, Connect, Event, Message, QoS, RequestError, StreamError, StreamedMessage, TopicName,
};

use crate::world::Step::{Block, Fail, Hang, Move};
use crate::world::{Choices, Fault, Handle, SingleObject, StreamBehaviour, Task, World};
use crate::world::{handle, handle_for_threads, handle_with, yield_now};

const BACKOFF: Backoff = Backoff::new(100, 1_000);
pub const CONNECT: Connect<'static> = Connect::new("c").clean_session(false).keep_alive(60);

/// A task that runs a link with this buffer size and behaviour, until it is stopped.
fn link<'a, const N: usize>(
    world: &'a World,
    mqtt: &'a Handle<N>,
    link_config: (usize, StreamBehaviour),
    handler: impl FnMut(Event<'_>) + 'a,
) -> Task<'a> {
    link_over(world, mqtt, link_config, false, handler)
}

/// The same, over two halves or over one object.
fn link_over<'a, S: Sharing, const N: usize>(
    world: &'a World,
    mqtt: &'a Handle<N, S>,
    (buffer, behaviour): (usize, StreamBehaviour),
    is_single_object: bool,
    mut handler: impl FnMut(Event<'_>) + 'a,
) -> Task<'a> {
    Box::pin(async move {
        let mut runner = Runner::new(mqtt, world.clone(), vec![0; buffer], BACKOFF);
        let ended = runner.run(
            async |link| {
                let (input, output) = world.open(behaviour);
                if is_single_object {
                    return link.run_cancel_safe(SingleObject(input), &CONNECT).await;
                }
                link.run(input, output, &CONNECT).await
            },
            |update, _| {
                match update {
                    Update::Event(event) => handler(event),
                    Update::AllSent => {}
                    other => panic!("{other:?}"),
                }
                Ok(())
            },
        );
        assert_eq!(ended.await, Ok(()));
    })
}

/// Publishes again while there is no connection, as QoS 0 requires.
async fn publish<S: Sharing, const N: usize>(world: &World, mqtt: &Handle<N, S>, payload: &str, qos: QoS) {
    let message = Message::new("t", payload.as_bytes()).qos(qos);
    while let Err(error) = mqtt.publish_and_wait(&message).await {
        assert_eq!(error, WaitError::Request(RequestError::NotConnected).into());
        world.sleep(1).await;
    }
}

/// Publishes messages of every QoS from many tasks; the server sends each of them back.
fn exchange_messages<S: Sharing, const N: usize>(
    mqtt: &Handle<N, S>,
    tasks: usize,
    rounds: usize,
    link_config: (usize, StreamBehaviour),
    is_single_object: bool,
) {
    let world = World::default();
    let (received, wanted) = (RefCell::new(Vec::new()), tasks * rounds * 3);
    let mut all = vec![link_over(&world, mqtt, link_config, is_single_object, |event| {
        if let Event::Message(message) = event {
            received.borrow_mut().push(String::from_utf8(message.payload.to_vec()).unwrap());
        }
    })];
    let publish_all = async |task: usize| {
        for round in 0..rounds {
            for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                publish(&world, mqtt, &format!("{task} {round} {qos:?}"), qos).await;
            }
        }
    };
    all.extend((0..tasks).map(|task| Box::pin(publish_all(task)) as Task<'_>));
    all.push(Box::pin(async {
        while received.borrow().len() < wanted || mqtt.with(|client| client.in_flight()).await > 0 {
            world.sleep(1).await;
        }
        let dropped = world.last_link().dropped;
        assert!(dropped == 0 || is_single_object, "operations are completed while the link is up");
        mqtt.stop();
    }));
    world.run(all);
    let mut received = received.take();
    received.sort();
    received.dedup();
    assert_eq!(received.len(), wanted, "each once");
    assert!(world.received_packets().last().unwrap().starts_with("DISCONNECT"));
}

#[test]
fn every_message_is_sent_over_any_stream() {
    const UNLIMITED: &[crate::world::Step] = &[Move(usize::MAX)];
    const BYTEWISE: &[crate::world::Step] = &[Move(1)];
    const SLOWLY: &[crate::world::Step] = &[Block, Move(1), Block, Block, Move(3)];
    const INTERRUPTED: &[crate::world::Step] =
        &[Fail(Fault::Interrupted), Move(2), Fail(Fault::Interrupted), Block];
    let all = [UNLIMITED, BYTEWISE, SLOWLY, INTERRUPTED];
    for reads in all {
        for writes in all {
            for flushes in all {
                for buffer in [2, 5, 256] {
                    for is_single_object in [false, true] {
                        let link_config = (buffer, StreamBehaviour(reads, writes, flushes));
                        exchange_messages(&handle(), 3, 2, link_config, is_single_object);
                    }
                }
            }
        }
    }
}

#[test]
fn twenty_tasks_share_few_places_and_a_small_buffer() {
    const SLOWLY: StreamBehaviour = StreamBehaviour(&[Block, Move(7)], &[Block, Move(7)], &[Block, Move(7)]);
    for tx in [80, 4_096] {
        exchange_messages(&handle_with::<20>(tx, Choices::default()), 20, 5, (64, SLOWLY), false);
        exchange_messages(&handle_for_threads::<1>(tx), 20, 5, (64, SLOWLY), false);
    }
}

/// Counts how often a task is polled.
fn counted<'a>(polls: &'a Cell<u32>, mut task: Task<'a>) -> Task<'a> {
    Box::pin(std::future::poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        task.as_mut().poll(cx)
    }))
}

/// The server does not reply, and no bytes are moved.
#[test]
fn tasks_that_wait_for_room_do_not_wake_each_other() {
    let (world, mqtt) = (World::default(), handle_for_threads::<1>(64));
    let (message, polls) = (Message::new("t", b"").at_least_once(), Cell::new(0));
    while mqtt.try_publish(&message).is_ok() {}
    let mut all: Vec<Task<'_>> = vec![Box::pin(world.sleep(3_600_000))];
    all.extend((0..20).map(|n| {
        let wait = async {
            let ended = mqtt.publish_and_wait(&message).await;
            panic!("without room: {ended:?}");
        };
        let publish = async {
            let queued = mqtt.publish(&message).await;
            panic!("without room: {queued:?}");
        };
        counted(&polls, if n < 10 { Box::pin(wait) } else { Box::pin(publish) })
    }));
    world.run(all);
    assert_eq!(polls.get(), 20, "one each in an hour");
}

/// Without an allocator there are as many places as configured; a place is freed when its task leaves it.
#[test]
fn one_task_more_than_there_are_places_is_refused() {
    let mqtt = handle_with::<2>(64, Choices::default());
    let message = Message::new("t", b"").at_least_once();
    while mqtt.try_publish(&message).is_ok() {}
    let mut cx = Context::from_waker(Waker::noop());
    let mut first = pin!(mqtt.publish(&message));
    assert!(first.as_mut().poll(&mut cx).is_pending());
    {
        let mut second = pin!(mqtt.publish(&message));
        for _ in 0..3 {
            assert!(second.as_mut().poll(&mut cx).is_pending(), "it has its place");
            let third = pin!(mqtt.publish(&message)).as_mut().poll(&mut cx);
            assert_eq!(third, Poll::Ready(Err(HandleError::TooManyWaiters)));
            let waiter = pin!(mqtt.publish_and_wait(&message)).as_mut().poll(&mut cx);
            assert_eq!(waiter, Poll::Ready(Err(HandleError::TooManyWaiters)));
        }
    }
    let mut fourth = pin!(mqtt.publish(&message));
    assert!(fourth.as_mut().poll(&mut cx).is_pending(), "the second one's place");
    assert!(first.as_mut().poll(&mut cx).is_pending());
}

#[test]
fn twenty_tasks_get_their_own_answers() {
    const SLOWLY: &[crate::world::Step] = &[Block, Move(11)];
    let (world, mqtt) = (World::default(), handle_with::<20>(256, Choices::default()));
    let mailboxes = [const { Mailbox::<32>::new() }; 20];
    let ended = Cell::new(0);
    let mut all = vec![link(&world, &mqtt, (64, StreamBehaviour(SLOWLY, SLOWLY, SLOWLY)), |event| {
        if let Event::Message(message) = event {
            let task: usize = message.topic.as_str().parse().unwrap();
            mailboxes[task].put(&message).unwrap();
        }
    })];
    let ask = async |task: usize| {
        for round in 0..5 {
            let (topic, question) = (task.to_string(), format!("{task} {round}"));
            let message = Message::new(&topic, question.as_bytes()).exactly_once();
            mqtt.publish(&message).await.unwrap();
            let is_mine = mailboxes[task].next(|answer| answer.payload == question.as_bytes()).await;
            assert!(is_mine, "task {task}, round {round}");
        }
        ended.set(ended.get() + 1);
        if ended.get() == 20 {
            mqtt.stop();
        }
    };
    all.extend((0..20).map(|task| Box::pin(ask(task)) as Task<'_>));
    world.run(all);
    assert_eq!(ended.get(), 20);
}

#[test]
fn a_payload_larger_than_the_buffer_is_supplied_by_a_task() {
    let (world, mqtt) = (World::default(), handle_with::<8>(128, Choices::default()));
    let payload: Vec<u8> = (0..3_000_u32).map(|n| n as u8).collect();
    let (ready, published) = (Cell::new(false), Cell::new(false));
    world.run(vec![
        link(
            &world,
            &mqtt,
            (64, StreamBehaviour(&[Move(9)], &[Block, Move(7)], &[Block, Move(1)])),
            |event| match event {
                Event::StreamReady { .. } => ready.set(true),
                Event::Published { .. } => published.set(true),
                _ => {}
            },
        ),
        Box::pin(async {
            let message = StreamedMessage::new("t", payload.len()).qos(QoS::AtLeastOnce).repeatable();
            mqtt.publish_streamed(&message).await.unwrap();
            let before = mqtt.write_payload(&payload).await;
            assert_eq!(before, Err(StreamError::NotAsked.into()));
            while !ready.get() {
                world.sleep(1).await;
            }
            let mut rest = &payload[..];
            while !rest.is_empty() {
                rest = &rest[mqtt.write_payload(rest).await.unwrap()..];
            }
            while !published.get() {
                world.sleep(1).await;
            }
            assert_eq!(mqtt.write_payload(b"late").await, Err(StreamError::NotAsked.into()));
            mqtt.stop();
        }),
    ]);
    assert_eq!(world.last_link().peer.payloads, std::slice::from_ref(&payload));
}

#[test]
fn reading_continues_while_a_write_waits_on_one_object() {
    let (world, mqtt) = (World::default(), handle());
    // Nothing can be written after CONNECT and SUBSCRIBE; input is still received.
    let stuck = StreamBehaviour(&[Move(3)], &[Move(64), Move(64), Hang], &[Move(1)]);
    let subscribed = Cell::new(false);
    world.run(vec![
        link_over(&world, &mqtt, (256, stuck), true, |event| match event {
            Event::Subscribed { .. } => subscribed.set(true),
            Event::Message(message) => {
                assert_eq!(message.payload, b"heard");
                mqtt.stop();
            }
            _ => {}
        }),
        Box::pin(async {
            while mqtt.subscribe(&[("t", QoS::AtMostOnce)]).await.is_err() {
                world.sleep(1).await;
            }
            while !subscribed.get() {
                world.sleep(1).await;
            }
            mqtt.publish(&Message::new("t", b"stuck")).await.unwrap();
            world.sleep(500).await;
            let (delivery, topic) = (Delivery::AtMostOnce, TopicName::new("t").unwrap());
            world.last_link().send(&Packet::Publish(Publish {
                delivery,
                retain: false,
                topic,
                payload: b"heard",
            }));
        }),
    ]);
    assert!(world.now() < 1_000, "{} ms", world.now());
}

#[test]
fn an_idle_link_is_polled_only_for_pings() {
    let (world, mqtt) = (World::default(), handle());
    let polls = world.run(vec![
        link(&world, &mqtt, (256, StreamBehaviour::IMMEDIATE), |_| {}),
        Box::pin(async {
            world.sleep(3_600_000).await;
            assert_eq!(world.last_link().dropped, 0, "the one read that waits");
            mqtt.stop();
        }),
    ]);
    let pings = world.received_packets().iter().filter(|packet| packet.starts_with("PINGREQ")).count();
    assert_eq!(pings, 65, "one after 55 s of silence each");
    assert!(polls < 300, "{polls} polls in an hour");
}

#[test]
fn the_future_of_the_runner_is_small() {
    let (world, mqtt) = (World::default(), handle());
    let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF);
    let run = runner.run(
        async |link| {
            let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
            link.run(input, output, &CONNECT).await
        },
        |_, _| Ok(()),
    );
    // It is stored in a task's memory. A value moved from one `async fn` into another counts twice.
    assert!(size_of_val(&run) < 1_600, "{} bytes", size_of_val(&run));
}

#[test]
fn the_handle_is_refused_inside_a_handler() {
    let (world, mqtt) = (World::default(), handle());
    let task: Task<'_> = Box::pin(async {
        let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF);
        let ended = runner.run(
            async |link| {
                let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                link.run(input, output, &CONNECT).await
            },
            |update, outbound| {
                let Update::Event(event) = update else { return Ok(()) };
                let message = Message::new("t", b"from the handler").at_least_once();
                match event {
                    Event::Connected { .. } => {
                        let busy = Err(HandleError::WouldDeadlock);
                        assert_eq!(mqtt.try_publish(&message), busy);
                        let mut publish = pin!(mqtt.publish(&message));
                        let polled = publish.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                        assert_eq!(polled, Poll::Pending, "and no panic");
                        outbound.publish(&message)?;
                    }
                    Event::Message(_) => mqtt.stop(),
                    _ => {}
                }
                Ok(())
            },
        );
        assert_eq!(ended.await, Ok(()));
    });
    world.run(vec![task]);
    let seen = world.received_packets();
    assert_eq!(seen.iter().filter(|packet| packet.starts_with("PUBLISH")).count(), 1, "{seen:?}");
}

#[test]
fn dropped_request_futures_free_their_places() {
    for polls in 0..6 {
        let (world, mqtt) = (World::default(), handle_with::<1>(512, Choices::default()));
        let published = RefCell::new(0);
        world.run(vec![
            link(
                &world,
                &mqtt,
                (64, StreamBehaviour(&[Block, Move(2)], &[Block, Move(2)], &[Block, Move(1)])),
                |event| {
                    *published.borrow_mut() += u32::from(matches!(event, Event::Published { .. }));
                },
            ),
            Box::pin(async {
                let message = Message::new("t", b"dropped").at_least_once();
                {
                    let mut waiter = pin!(mqtt.publish_and_wait(&message));
                    for _ in 0..polls {
                        let waker = std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                        assert!(waiter.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                        yield_now().await;
                    }
                }
                // There is only one place: it has to be free again.
                mqtt.publish_and_wait(&message).await.unwrap();
                let expected = if polls == 0 { 1 } else { 2 };
                assert_eq!(*published.borrow(), expected, "{polls} polls");
                mqtt.stop();
            }),
        ]);
    }
}

#[test]
fn giving_up_a_message_ends_the_wait_for_it() {
    let (world, mqtt) = (World::default(), handle());
    let stale = Message::new("t", b"stale").at_least_once();
    let mut waiter = pin!(mqtt.publish_and_wait(&stale));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waiter.as_mut().poll(&mut cx).is_pending(), "it is queued while offline");
    world.run(vec![Box::pin(async {
        let id = mqtt.with(|client| client.under_way().next().unwrap().id).await;
        mqtt.give_up(id).await.unwrap();
    })]);
    assert_eq!(waiter.as_mut().poll(&mut cx), Poll::Ready(Err(WaitError::GivenUp.into())));
}

#[test]
fn a_handler_that_gives_up_a_message_ends_the_wait_for_it() {
    let (world, mqtt) = (World::default(), handle());
    let runner_task: Task<'_> = Box::pin(async {
        let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], BACKOFF);
        let ended = runner.run(
            async |link| {
                // The message is queued before.
                world.sleep(5).await;
                let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                link.run(input, output, &CONNECT).await
            },
            |update, outbound| {
                if let Update::Event(Event::Connected { .. }) = update {
                    let stale = outbound.under_way().next().unwrap().id;
                    outbound.give_up(stale)?;
                    outbound.publish(&Message::new("t", b"instead").at_least_once())?;
                }
                Ok(())
            },
        );
        assert_eq!(ended.await, Ok(()));
    });
    let waiter: Task<'_> = Box::pin(async {
        let stale = Message::new("t", b"stale").at_least_once();
        assert_eq!(mqtt.publish_and_wait(&stale).await, Err(WaitError::GivenUp.into()));
        mqtt.stop();
    });
    world.run(vec![runner_task, waiter]);
    assert!(!world.last_link().peer.payloads.contains(&b"stale".to_vec()));
}

/// A handler is informed when there is room, and is called when another task has something for it, connected or not.
#[test]
fn the_handler_receives_all_sent_and_woken() {
    let (world, mqtt) = (World::default(), handle_with::<8>(64, Choices::default()));
    let reported = RefCell::new(Vec::new());
    let runner_task: Task<'_> = Box::pin(async {
        let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], Backoff::new(100, 100));
        let (mut attempts, mut left) = (0, 20);
        let ended = runner.run(
            async |link| {
                attempts += 1;
                if attempts == 1 {
                    return Err(Error::Closed);
                }
                let (input, output) = world.open(StreamBehaviour::IMMEDIATE);
                link.run(input, output, &CONNECT).await
            },
            |update, outbound| {
                match update {
                    Update::LinkLost { .. } => mqtt.wake(),
                    Update::Woken if left == 0 => mqtt.stop(),
                    _ => {}
                }
                reported.borrow_mut().push(format!("{update:?}"));
                // More than fits into the buffer.
                let message = Message::new("t", &[b'x'; 20]);
                let has_room = matches!(update, Update::AllSent | Update::Event(Event::Connected { .. }));
                while has_room && left > 0 && outbound.publish(&message).is_ok() {
                    left -= 1;
                    if left == 0 {
                        mqtt.wake();
                    }
                }
                Ok(())
            },
        );
        assert_eq!(ended.await, Ok(()));
    });
    world.run(vec![runner_task]);
    let reported = reported.into_inner();
    assert!(reported[0].starts_with("LinkLost"), "{reported:?}");
    assert_eq!(reported[1], "Woken", "offline too: {reported:?}");
    assert!(reported.iter().filter(|update| *update == "AllSent").count() > 5, "{reported:?}");
    assert_eq!(world.last_link().peer.payloads.len(), 20, "all of them arrived");
}
