//! A stream that moves no bytes for some time.

use super::Stream;

impl Stream {
    /// Drops the expanded keys of an idle connection, most of its memory: see [`sleep`](crate::Connection::sleep).
    pub fn sleep(&mut self) {
        self.connection.sleep();
    }

    /// The connection, with or without a transport, for what moves no bytes.
    #[cfg(feature = "capi")]
    pub(crate) fn inner_mut(&mut self) -> &mut crate::connection::Connection {
        &mut self.connection
    }
}
