//! Checks a `std` runner over any stream: threads publish, it receives, it does not wake up while idle, and it stops in time.

use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use baremqtt::transport::net::{Runner, Stream, Update};
use baremqtt::{Backoff, Buffers, Client, Connect, Event, Message};

const TIMEOUT: Duration = Duration::from_secs(60);

/// How often the threads of the runner have gone to sleep, on systems that report it.
fn sleeps() -> u64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(Result::ok);
    let sleeps = threads.filter_map(|thread| {
        let name = fs::read_to_string(thread.path().join("comm")).ok()?;
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        let sleeps = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        ["mqtt-runner", "mqtt-input"].contains(&name.trim()).then(|| sleeps.trim().parse().unwrap_or(0))
    });
    sleeps.sum()
}

/// Whether no thread wakes up within a second. On a busy machine it may take a while until that is so.
fn is_idle() -> bool {
    let before = sleeps();
    thread::sleep(Duration::from_secs(1));
    sleeps() == before
}

/// Three threads publish this message a number of times each, and it comes back from the broker that `open` connects to.
pub fn check_runner<S: Stream + Send + 'static>(
    open: impl FnOnce() -> io::Result<S> + Clone + Send + 'static,
    message: &Message<'static>,
    count: usize,
) {
    let client = Client::new(Buffers { rx: vec![0; 4096], tx: vec![0; 4096] });
    let runner = Runner::new(client, Backoff::new(1, 5));
    let handle = runner.handle();
    let ((messages, received), (ready, is_ready)) = (mpsc::channel(), mpsc::channel());
    let filters = [(message.topic, message.qos)];
    let run = move || {
        runner.run(
            |link| {
                let stream = link.open(open.clone())?;
                link.run(stream, &Connect::new("shared").keep_alive(60))
            },
            |update, outbound| {
                match update {
                    Update::Event(Event::Connected { .. }) => drop(outbound.subscribe(&filters)?),
                    Update::Event(Event::Subscribed { .. }) => ready.send(()).unwrap(),
                    Update::Event(Event::Message(message)) => messages.send(message.payload.len()).unwrap(),
                    Update::LinkLost { error, .. } => return Err(error),
                    _ => {}
                }
                Ok(())
            },
        )
    };
    let running = thread::Builder::new().name("mqtt-runner".into()).spawn(run).expect("a thread");
    is_ready.recv_timeout(TIMEOUT).expect("a subscription");
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 1..count {
                    handle.publish(message).expect("room");
                }
                handle.publish_and_wait(message, Some(TIMEOUT)).expect("its acknowledgement");
            });
        }
        for _ in 0..3 * count {
            assert_eq!(received.recv_timeout(TIMEOUT), Ok(message.payload.len()));
        }
    });
    assert!((0..60).any(|_| is_idle()), "a thread keeps waking up");

    let stopping = Instant::now();
    handle.stop();
    running.join().expect("no panic").expect("it was stopped");
    assert!(stopping.elapsed() < TIMEOUT / 3, "{:?}", stopping.elapsed());
}
