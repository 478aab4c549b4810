//! Futures that are dropped, at any moment and by anyone. After that, everything works as before, although there is only one place for
//! each kind of wait.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use baremqtt::codec::{Delivery, Publish};
use baremqtt::transport::asynch::{Mailbox, Runner};
use baremqtt::transport::{GaveUp, HandleError, Update, WaitError};
use baremqtt::{Backoff, Event, Message, QoS, State, StreamedMessage, TopicName};

use crate::live_link::CONNECT;
use crate::world::Step::{Block, Move};
use crate::world::{Choices, Fault, Handle, StreamBehaviour, Task, World, handle_with};

const SMALL: Message<'static> = Message::new("t", &[b'.'; 20]).at_least_once();
const SLOWLY: StreamBehaviour =
    StreamBehaviour(&[Block, Block, Move(2)], &[Block, Block, Move(4)], &[Block, Move(1)]);

type Mqtt = Rc<Handle<1>>;

/// Two fill the buffer.
fn new_mqtt() -> Mqtt {
    Rc::new(handle_with(112, Choices::default()))
}

/// Ways to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// For the acknowledgement.
    Acknowledgement,
    /// For the place of a task that waits for an acknowledgement.
    Place,
    Room,
}

const WAITS: [Wait; 3] = [Wait::Acknowledgement, Wait::Place, Wait::Room];

/// Waits like this. There is no link yet.
fn wait(mqtt: &Mqtt, how: Wait) -> Task<'static> {
    while how == Wait::Room && mqtt.try_publish(&SMALL).is_ok() {}
    let mqtt = Rc::clone(mqtt);
    Box::pin(async move {
        if how == Wait::Room {
            _ = mqtt.publish(&SMALL).await;
        } else {
            _ = mqtt.publish_and_wait(&SMALL).await;
        }
    })
}

fn poll_once(task: &mut Task<'_>, waker: &Waker) -> bool {
    task.as_mut().poll(&mut Context::from_waker(waker)).is_ready()
}

/// The future, or `None` if it is not ready in time.
async fn in_time<F: Future>(world: &World, future: F) -> Option<F::Output> {
    let (mut future, mut late) = (pin!(future), pin!(world.sleep(30_000)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => late.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Uses each kind of place.
async fn uses_every_place(world: &World, mqtt: &Handle<1>, what: &str) {
    world.sleep(5_000).await;
    for _ in 0..2 {
        while mqtt.try_publish(&SMALL).is_ok() {}
        let ended = in_time(world, mqtt.publish_and_wait(&SMALL)).await;
        assert_eq!(ended, Some(Ok(())), "{what}: {:?}", world.received_packets());
    }
}

/// Runs links until it is stopped.
async fn run_links(
    world: &World,
    mqtt: &Handle<1>,
    mut handler: impl FnMut(Update<'_, Fault>),
) -> Result<(), GaveUp<Fault>> {
    let mut runner = Runner::new(mqtt, world.clone(), [0; 64], Backoff::new(1_000, 1_000));
    runner
        .run(
            async |link| {
                let (input, output) = world.open(SLOWLY);
                link.run(input, output, &CONNECT).await
            },
            |update, _| {
                handler(update);
                Ok(())
            },
        )
        .await
}

/// Runs links, with this handler, until each kind of place has been used; `first` comes before that.
fn check(mqtt: &Mqtt, what: &str, first: impl AsyncFnOnce(&World), handler: impl FnMut(Update<'_, Fault>)) {
    let world = World::default();
    let runner = async { assert_eq!(run_links(&world, mqtt, handler).await, Ok(()), "{what}") };
    let user = async {
        first(&world).await;
        uses_every_place(&world, mqtt, what).await;
        mqtt.stop();
    };
    world.run(vec![Box::pin(runner), Box::pin(user)]);
}

thread_local! {
    static OWNED: RefCell<Vec<Option<Task<'static>>>> = const { RefCell::new(Vec::new()) };
}

/// Owns a task, as wakers do in some executors: when the last one is used or dropped, the task is dropped with it.
struct Owner(usize);

impl Owner {
    fn new(task: Task<'static>) -> Arc<Owner> {
        OWNED.with_borrow_mut(|tasks| {
            tasks.push(Some(task));
            Arc::new(Owner(tasks.len() - 1))
        })
    }

    fn take(&self) -> Option<Task<'static>> {
        OWNED.with_borrow_mut(|tasks| tasks[self.0].take())
    }

    /// Polls the task once. From now on it lives as long as the wakers that it has registered.
    fn poll_once(self: Arc<Self>) {
        let mut task = self.take().expect("a task");
        assert!(!poll_once(&mut task, &Waker::from(Arc::clone(&self))), "it waits");
        OWNED.with_borrow_mut(|tasks| tasks[self.0] = Some(task));
    }

    fn living_tasks() -> usize {
        OWNED.with_borrow(|tasks| tasks.iter().flatten().count())
    }
}

impl Wake for Owner {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// Another task has the place that this one waits for.
fn occupy(mqtt: &Mqtt, how: Wait) -> Option<Task<'static>> {
    let mut other = (how == Wait::Place).then(|| wait(mqtt, Wait::Acknowledgement))?;
    assert!(!poll_once(&mut other, Waker::noop()));
    Some(other)
}

#[test]
fn by_a_handler() {
    for how in WAITS {
        for at in 0..4 {
            let mqtt = new_mqtt();
            let (other, mut waits) = (occupy(&mqtt, how), wait(&mqtt, how));
            assert!(!poll_once(&mut waits, Waker::noop()), "{how:?}");
            let (mut waiting, updates) = (Some((waits, other)), Cell::new(0));
            let dropped = async |world: &World| {
                while updates.get() <= at {
                    world.sleep(1).await;
                }
            };
            check(&mqtt, &format!("{how:?} at {at}"), dropped, |_| {
                if updates.get() == at {
                    waiting = None;
                }
                updates.set(updates.get() + 1);
            });
        }
    }
}

#[test]
fn by_a_closure_that_has_the_client() {
    for how in WAITS {
        let mqtt = new_mqtt();
        let other = occupy(&mqtt, how);
        let mut waits = wait(&mqtt, how);
        assert!(!poll_once(&mut waits, Waker::noop()), "{how:?}");
        let within = async |_: &World| mqtt.with(|_| drop((waits, other))).await;
        check(&mqtt, &format!("{how:?}"), within, |_| {});
    }
}

#[test]
fn when_its_last_waker_is_used() {
    for how in WAITS {
        let mqtt = new_mqtt();
        let other = occupy(&mqtt, how);
        Owner::new(wait(&mqtt, how)).poll_once();
        assert_eq!(Owner::living_tasks(), 1, "{how:?}");
        check(&mqtt, &format!("{how:?}"), async |_| drop(other), |_| {});
        assert_eq!(Owner::living_tasks(), 0, "{how:?}");
    }
}

/// Uses the client when it is dropped.
struct Uses(Mqtt);

impl Drop for Uses {
    fn drop(&mut self) {
        let result = self.0.try_publish(&SMALL);
        assert_ne!(result, Err(HandleError::WouldDeadlock), "a waker is dropped while nothing is borrowed");
    }
}

/// A task can be polled with another waker than before. Another task is dropped with the one that is replaced.
#[test]
fn with_a_waker_that_is_replaced() {
    for how in WAITS {
        let mqtt = new_mqtt();
        let (other, mut waits) = (occupy(&mqtt, how), wait(&mqtt, how));
        let uses = Uses(Rc::clone(&mqtt));
        let stale = Waker::from(Owner::new(Box::pin(async { drop(uses) })));
        assert!(!poll_once(&mut waits, &stale), "{how:?}");
        drop(stale);
        assert_eq!(Owner::living_tasks(), 1, "{how:?}");
        assert!(!poll_once(&mut waits, Waker::noop()), "{how:?}");
        assert_eq!(Owner::living_tasks(), 0, "{how:?}");
        check(&mqtt, &format!("{how:?}"), async |_| drop((waits, other)), |_| {});
    }
}

/// Polls a task this often, or until it is complete; returns whether it is.
async fn polled_at_most(most: u32, task: &mut Task<'_>) -> bool {
    let mut polls = 0;
    poll_fn(|cx| {
        let is_complete = polls < most && poll_once(task, cx.waker());
        polls += 1;
        if is_complete || polls >= most { Poll::Ready(is_complete) } else { Poll::Pending }
    })
    .await
}

#[test]
fn by_its_own_task_after_any_poll() {
    for how in WAITS {
        let (mut polls, is_complete) = (0, Cell::new(false));
        while !is_complete.get() {
            let mqtt = new_mqtt();
            let other = occupy(&mqtt, how);
            let mut waits = wait(&mqtt, how);
            let first = async |_: &World| {
                if let Some(mut other) = other {
                    // It has its place until then.
                    polled_at_most(polls, &mut other).await;
                }
                is_complete.set(polled_at_most(polls, &mut waits).await);
                drop(waits);
            };
            check(&mqtt, &format!("{how:?} after {polls} polls"), first, |_| {});
            polls += 1;
            assert!(polls < 1_000);
        }
        assert!(polls > 2, "{how:?}: {polls} polls");
    }
}

/// Uses the handle in every way that can wait.
async fn uses_everything(world: &World, mqtt: &Handle<1>, mailbox: &Mailbox<64>) {
    let fill = || while mqtt.try_publish(&SMALL).is_ok() {};
    while mqtt.subscribe(&[("t", QoS::AtMostOnce)]).await.is_err() {
        world.sleep(1).await;
    }
    fill();
    let id = mqtt.publish(&SMALL).await.unwrap().unwrap();
    fill();
    _ = mqtt.give_up(id).await;
    mqtt.subscribe(&[("t", QoS::AtMostOnce)]).await.unwrap();
    fill();
    mqtt.unsubscribe(&["t"]).await.unwrap();
    mailbox.next(|_| ()).await;
    fill();
    mqtt.publish_and_wait(&SMALL).await.unwrap();
    fill();
    mqtt.publish_streamed(&StreamedMessage::new("t", 300)).await.unwrap();
    while mqtt.write_payload(&[b'.'; 300]).await.is_err() {
        world.sleep(1).await;
    }
    while mqtt.with(|client| client.waits_for_payload()).await {
        mqtt.write_payload(b"....").await.unwrap();
    }
}

#[test]
fn by_a_task_that_uses_everything_after_any_poll() {
    let (mut polls, is_complete) = (0, Cell::new(false));
    while !is_complete.get() {
        let (world, mqtt) = (World::default(), new_mqtt());
        let (mailbox, is_dropped) = (Mailbox::new(), Cell::new(false));
        let runner: Task<'_> = Box::pin(async {
            let mut runner = Runner::new(&mqtt, world.clone(), [0; 64], Backoff::new(1_000, 1_000));
            let ended: Result<(), GaveUp<Fault>> = runner
                .run(
                    async |link| {
                        let (input, output) = world.open(SLOWLY);
                        link.run(input, output, &CONNECT).await
                    },
                    |update, outbound| {
                        if let Update::Event(Event::Message(message)) = update {
                            _ = mailbox.put(&message);
                        }
                        // A payload that was begun has to be continued.
                        if is_dropped.get() {
                            while outbound.write_payload(&[b'.'; 4]).is_ok_and(|written| written > 0) {}
                        }
                        Ok(())
                    },
                )
                .await;
            assert_eq!(ended, Ok(()));
        });
        let user: Task<'_> = Box::pin(async {
            let mut task: Task<'_> = Box::pin(uses_everything(&world, &mqtt, &mailbox));
            is_complete.set(polled_at_most(polls, &mut task).await);
            drop(task);
            is_dropped.set(true);
            mqtt.wake();
            uses_every_place(&world, &mqtt, &format!("{polls} polls")).await;
            mqtt.stop();
        });
        world.run(vec![runner, user]);
        polls += 1;
        assert!(polls < 2_000);
    }
    assert!(polls > 50, "{polls}");
}

/// The runner itself is dropped; another one continues.
#[test]
fn a_runner_after_any_poll() {
    let (mut polls, is_complete) = (0, Cell::new(false));
    while !is_complete.get() {
        let (world, mqtt) = (World::default(), new_mqtt());
        let is_dropped = Cell::new(false);
        let runners = async {
            let mut first: Task<'_> =
                Box::pin(async { assert_eq!(run_links(&world, &mqtt, |_| {}).await, Ok(())) });
            is_complete.set(polled_at_most(polls, &mut first).await);
            drop(first);
            is_dropped.set(true);
            if !is_complete.get() {
                assert_eq!(run_links(&world, &mqtt, |_| {}).await, Ok(()));
            }
        };
        let user = async {
            for _ in 0..3 {
                while let Err(error) = mqtt.publish_and_wait(&SMALL).await {
                    assert_eq!(error, HandleError::<WaitError>::Stopped, "{polls} polls");
                    world.sleep(1).await;
                }
            }
            if is_dropped.get() {
                uses_every_place(&world, &mqtt, &format!("{polls} polls")).await;
            }
            mqtt.stop();
        };
        world.run(vec![Box::pin(runners), Box::pin(user)]);
        polls += 1;
        assert!(polls < 2_000);
    }
    assert!(polls > 20, "{polls}");
}

#[test]
fn a_runner_by_a_closure_that_has_the_client() {
    let (world, mqtt) = (World::default(), new_mqtt());
    let mut first: Task<'_> = Box::pin(async { _ = run_links(&world, &mqtt, |_| {}).await });
    assert!(!poll_once(&mut first, Waker::noop()));
    let drop_and_look = async {
        mqtt.with(|_| drop(first)).await;
        assert_eq!(mqtt.with(|client| client.state()).await, State::Offline);
    };
    world.run(vec![Box::pin(drop_and_look)]);
    check(&mqtt, "another runner", async |_| {}, |_| {});
}

/// Puts a message into a mailbox when it is dropped.
struct Puts(Rc<Mailbox<64>>);

impl Drop for Puts {
    fn drop(&mut self) {
        put(&self.0, b"dropped");
    }
}

fn put(mailbox: &Mailbox<64>, payload: &[u8]) {
    let (delivery, topic) = (Delivery::AtMostOnce, TopicName::new("t").unwrap());
    mailbox.put(&Publish { delivery, retain: false, topic, payload }).unwrap();
}

#[test]
fn a_task_that_waits_for_a_mailbox() {
    let mailbox = Rc::new(Mailbox::<64>::new());
    let wait = || {
        let puts = Puts(Rc::clone(&mailbox));
        Owner::new(Box::pin(async move { puts.0.next(|_| ()).await })).poll_once();
        assert_eq!(Owner::living_tasks(), 1);
    };
    let next = || {
        let next = pin!(mailbox.next(|message| message.payload.to_vec()));
        match next.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(payload) => Some(payload),
            Poll::Pending => None,
        }
    };
    wait();
    put(&mailbox, b"first");
    assert_eq!(Owner::living_tasks(), 0, "by a message");
    assert_eq!([next(), next(), next()], [Some(b"first".to_vec()), Some(b"dropped".to_vec()), None]);
    wait();
    assert_eq!(next(), None);
    assert_eq!(Owner::living_tasks(), 0, "by another task that waits");
    assert_eq!([next(), next()], [Some(b"dropped".to_vec()), None]);
}
