//! What the adapters share whose connection holds one stream.

mod attempts;

pub(crate) use attempts::{Attempts, Turn};

/// The methods of a connection that holds one stream.
macro_rules! has_one_stream {
    ($connection:ident<$($parameter:ident $(: $bound:path)?),*>) => {
        impl<$($parameter $(: $bound)?,)* R, T, C, I> $connection<$($parameter,)* R, T, C, I>
        where
            R: AsRef<[u8]> + AsMut<[u8]>,
            T: AsRef<[u8]> + AsMut<[u8]>,
            C: crate::Config,
            I: AsRef<[u8]> + AsMut<[u8]>,
        {
            /// Whether there is a connection, or one is being established.
            #[must_use]
            pub fn is_open(&self) -> bool {
                self.driver.is_open()
            }

            /// The stream, for instance to close or reopen it. The client does not see bytes that you read or write here.
            #[must_use]
            pub const fn stream_mut(&mut self) -> &mut S {
                &mut self.stream
            }

            /// Continues the session on another stream. Call [`connect`](crate::Client::connect) next.
            /// Returns the old stream.
            pub fn reopen(&mut self, stream: S) -> S {
                self.close();
                core::mem::replace(&mut self.stream, stream)
            }

            /// Ends the connection without DISCONNECT. The stream is kept; once it is open again, call
            /// [`connect`](crate::Client::connect).
            pub fn close(&mut self) {
                self.driver.close();
            }

            /// Returns the client, which is then offline, and the stream.
            #[must_use]
            pub fn into_parts(mut self) -> (crate::Client<R, T, C, I>, S) {
                self.close();
                (self.driver.client, self.stream)
            }
        }
    };
}
pub(crate) use has_one_stream;

/// The methods of an adapter that reconnects. It dereferences to the client, as its connection does.
macro_rules! reconnects {
    ($reconnect:ident<$($parameter:ident $(: $bound:path)?),*>, $connection:ty) => {
        impl<$($parameter $(: $bound)?,)* F, R, T, C, I> $reconnect<$($parameter,)* F, R, T, C, I> {
            /// Opens a connection whenever there is none. If `connection` is already open, it is used first.
            #[must_use]
            pub const fn new(connection: $connection, open: F, backoff: crate::Backoff) -> Self {
                $reconnect { connection, open, attempts: crate::transport::one_stream::Attempts::new(backoff) }
            }

            crate::transport::common::retry_choices!(attempts.retry);

            /// The stream, for instance to configure it. The client does not see bytes that you read or write here.
            #[must_use]
            pub const fn stream_mut(&mut self) -> &mut S {
                &mut self.connection.stream
            }

            /// Returns the connection as it is, to continue without reconnecting.
            #[must_use]
            pub fn into_connection(self) -> $connection {
                self.connection
            }
        }

        impl<$($parameter $(: $bound)?,)* F, R, T, C, I> core::ops::Deref for $reconnect<$($parameter,)* F, R, T, C, I> {
            type Target = crate::Client<R, T, C, I>;

            fn deref(&self) -> &Self::Target {
                &self.connection
            }
        }

        impl<$($parameter $(: $bound)?,)* F, R, T, C, I> core::ops::DerefMut for $reconnect<$($parameter,)* F, R, T, C, I> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.connection
            }
        }

        impl<$($parameter $(: $bound)?,)* F, R, T, C, I> core::fmt::Debug for $reconnect<$($parameter,)* F, R, T, C, I> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct("Reconnect").field("connection", &self.connection).finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use reconnects;
