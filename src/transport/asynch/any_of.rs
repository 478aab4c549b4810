//! Waiting for several things at once.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

/// Waits until at least one of the three is ready; returns the results of the first two.
///
/// All three are polled each time, because two can be ready at once and none may starve.
pub(super) async fn any_of<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
    third: impl Future<Output = ()>,
) -> (Option<A>, Option<B>) {
    let (mut first, mut second, mut third) = (pin!(first), pin!(second), pin!(third));
    poll_fn(|cx| {
        let a = finished(first.as_mut().poll(cx));
        let b = finished(second.as_mut().poll(cx));
        let c = third.as_mut().poll(cx).is_ready();
        if c || a.is_some() || b.is_some() { Poll::Ready((a, b)) } else { Poll::Pending }
    })
    .await
}

fn finished<V>(poll: Poll<V>) -> Option<V> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
