//! All tasks that wait are woken at once, each by its own waker, when their waits end; also offline, where nothing else will wake them.

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use baremqtt::codec::{Delivery, Publish};
use baremqtt::transport::asynch::{Mailbox, Runner};
use baremqtt::transport::{Error, HandleError, Update, WaitError};
use baremqtt::{Backoff, Message, Outbound, PacketId, TopicName};

use crate::world::{Choices, Fault, Handle, World, handle_with};

const SMALL: Message<'static> = Message::new("t", &[b'.'; 20]).at_least_once();

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A task that waits.
struct Waits<'a, V> {
    future: Pin<Box<dyn Future<Output = V> + 'a>>,
    flag: Arc<Flag>,
}

impl<'a, V> Waits<'a, V> {
    fn new(future: impl Future<Output = V> + 'a) -> Self {
        let mut waits = Waits { future: Box::pin(future), flag: Arc::default() };
        assert!(waits.poll().is_pending());
        waits
    }

    fn poll(&mut self) -> Poll<V> {
        let waker = Waker::from(Arc::clone(&self.flag));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// It has been woken; its result.
    fn result(mut self) -> V {
        assert!(self.flag.0.load(Ordering::Relaxed), "it is woken");
        match self.poll() {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits again"),
        }
    }
}

/// The result of a future that does not wait.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

type Acknowledged<'a> = Waits<'a, Result<(), HandleError<WaitError>>>;
type Queued<'a> = Waits<'a, Result<Option<PacketId>, HandleError>>;

/// Two messages fill the buffer, and their tasks wait for the acknowledgements. Two other tasks wait for room. (When the waits of the
/// former end, the latter are woken again.)
fn four_waits(mqtt: &Handle<2>) -> ([Acknowledged<'_>; 2], [Queued<'_>; 2]) {
    (
        [(); 2].map(|()| Waits::new(mqtt.publish_and_wait(&SMALL))),
        [(); 2].map(|()| Waits::new(mqtt.publish(&SMALL))),
    )
}

fn new_mqtt() -> Handle<2> {
    handle_with(112, Choices::default())
}

#[test]
fn when_the_runner_ends_without_a_link() {
    let (world, mqtt) = (World::default(), new_mqtt());
    let (acknowledged, queued) = four_waits(&mqtt);
    {
        let mut runner = Runner::new(&mqtt, world, [0; 64], Backoff::new(1, 1));
        let run = pin!(runner.run(async |_| pending::<Result<(), Error<Fault>>>().await, |_, _| Ok(())));
        assert!(run.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(queued.map(Waits::result), [Err(HandleError::Stopped); 2]);
    assert_eq!(acknowledged.map(Waits::result), [Err(HandleError::Stopped); 2]);
}

#[test]
fn when_a_closure_that_has_the_client_gives_messages_up() {
    let mqtt = new_mqtt();
    let (acknowledged, queued) = four_waits(&mqtt);
    now(mqtt.with(|client| {
        let ids: Vec<_> = client.under_way().map(|request| request.id).collect();
        ids.into_iter().for_each(|id| client.give_up(id).unwrap());
    }));
    assert!(queued.map(Waits::result).iter().all(Result::is_ok));
    assert_eq!(acknowledged.map(Waits::result), [Err(WaitError::GivenUp.into()); 2]);
}

#[test]
fn when_a_handler_gives_messages_up_offline() {
    let (world, mqtt) = (World::default(), new_mqtt());
    let (acknowledged, queued) = four_waits(&mqtt);
    let mut runner = Runner::new(&mqtt, world, [0; 64], Backoff::new(1_000, 1_000));
    let handler = |update: Update<'_, Fault>, outbound: &mut Outbound<'_, Choices>| {
        if let Update::LinkLost { .. } = update {
            let ids: Vec<_> = outbound.under_way().map(|request| request.id).collect();
            ids.into_iter().for_each(|id| outbound.give_up(id).unwrap());
        }
        Ok(())
    };
    let run = pin!(runner.run(async |_| Err(Error::Closed), handler));
    assert!(run.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(queued.map(Waits::result).iter().all(Result::is_ok));
    assert_eq!(acknowledged.map(Waits::result), [Err(WaitError::GivenUp.into()); 2]);
}

#[test]
fn when_a_place_becomes_free() {
    let mqtt = handle_with::<1>(256, Choices::default());
    let holds = Waits::new(mqtt.publish_and_wait(&SMALL));
    let waits = Waits::new(mqtt.publish_and_wait(&SMALL));
    drop(holds);
    assert!(waits.flag.0.load(Ordering::Relaxed), "it is woken");
    assert_eq!(now(mqtt.with(|client| client.in_flight())), 1);
    let Waits { mut future, .. } = waits;
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(now(mqtt.with(|client| client.in_flight())), 2, "it has the place, and its message is queued");
}

/// A task that asks at the wrong moment asks again.
#[test]
fn when_a_mailbox_is_in_use() {
    let (mailbox, topic) = (Mailbox::<64>::new(), TopicName::new("t").unwrap());
    mailbox.put(&Publish { topic, payload: b"", delivery: Delivery::AtMostOnce, retain: false }).unwrap();
    now(mailbox.next(|_| {
        let within = Waits::new(mailbox.next(|_| ()));
        assert!(within.flag.0.load(Ordering::Relaxed));
    }));
}
