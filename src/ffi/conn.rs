//! The connection as C holds it.

use std::ffi::CString;

use crate::connection::Connection;
use crate::stream::Stream;

use super::certificate::btls_certificate;
use super::guard::{Exclusive, Handle, Object};

/// A TLS connection of a client or a server. One thread at a time uses it; it may change threads.
///
/// # Details
///
/// Two threads may use two connections of one context at the same time.
pub struct btls_conn(Exclusive<Conn>);

/// The content of a connection.
pub(super) struct Conn {
    pub(super) stream: Stream,
    /// Allocated at the first read of one.
    pub(super) texts: Option<Box<Texts>>,
}

impl Object for btls_conn {
    type Value = Conn;

    fn cell(&self) -> &Exclusive<Conn> {
        &self.0
    }
}

impl btls_conn {
    pub(super) fn leak(connection: Connection) -> *mut Self {
        Handle::leak(Self(Exclusive::new(Conn { stream: Stream::new(connection), texts: None })))
    }
}

/// The text and the certificate that a connection keeps for the caller.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) server_name: Option<CString>,
    pub(super) peer: Option<Box<btls_certificate>>,
}
