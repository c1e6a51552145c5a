//! The builder's settings of resumption, and of connections that sleep.

use crate::error::{Code, Error, Result};
use crate::idle::SLEEP_AFTER_MAX_S;
use crate::session::{CACHE_MAX, TICKET_BYTES_MAX, TICKETS_MAX};
use crate::verify::AskAgain;

use super::builder::ContextBuilder;

impl ContextBuilder {
    /// Sets the time without a record after which a connection sleeps by itself, in seconds, as by
    /// [`sleep`](crate::Connection::sleep). Default: 0, which is never.
    ///
    /// It happens in [`maintain`](crate::Context::maintain), which looks at the connections twice in that time. It is
    /// for the connections of the C API and of Java. A [`Connection`](crate::Connection) of Rust is its owner's alone:
    /// the owner calls `sleep`, or admits maintenance with [`watch_idle`](crate::Context::watch_idle).
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for more than 86,400.
    pub fn sleep_after_s(&mut self, seconds: u32) -> Result<&mut Self> {
        at_most(seconds, SLEEP_AFTER_MAX_S as usize, "seconds until a connection sleeps")?;
        self.spec.sleep_after_s = seconds;
        Ok(self)
    }

    /// Sets whether sessions are resumed. Default: yes.
    pub fn resumption(&mut self, resumes: bool) -> &mut Self {
        self.spec.sessions.is_on = resumes;
        self
    }

    /// Sets how long after its full handshake a session may be resumed, in seconds, however often it has been resumed.
    /// Default: 86,400.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for 0.
    pub fn session_max_age_s(&mut self, seconds: u32) -> Result<&mut Self> {
        if seconds == 0 {
            return Err(Error::new(Code::InvalidArgument, "a session age of 0 s; `resumption` switches sessions off"));
        }
        self.spec.sessions.max_age_s = seconds;
        Ok(self)
    }

    /// Sets which parts of the application are asked again about the peer of a session before the session is resumed.
    /// Default: the verify callback.
    pub fn resumption_asks_again(&mut self, asked: AskAgain) -> &mut Self {
        self.spec.sessions.ask_again = asked;
        self
    }

    /// Sets how many tickets of TLS 1.3 a server sends after a handshake. Default: 2; 0 switches off resumption of TLS
    /// 1.3 alone.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for more than 8.
    pub fn tls13_tickets(&mut self, tickets: u32) -> Result<&mut Self> {
        self.spec.sessions.tls13_tickets = at_most(tickets, TICKETS_MAX, "tickets")?;
        Ok(self)
    }

    /// Sets the most bytes of tickets that a server sends at once, with their record. Default: 4096. A ticket that is
    /// longer, because its client sent a long certificate, is not sent.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for more than 16,384.
    pub fn max_ticket_bytes(&mut self, bytes: u32) -> Result<&mut Self> {
        self.spec.sessions.max_ticket_bytes = at_most(bytes, TICKET_BYTES_MAX, "bytes of a ticket")?;
        Ok(self)
    }

    /// Sets how many clients of TLS 1.2 that take no tickets a server remembers, to resume their sessions by ID.
    /// Default: 256, of 1 MiB together; 0 switches that off.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for more than 65,536.
    pub fn session_cache(&mut self, sessions: u32) -> Result<&mut Self> {
        self.spec.sessions.cache = at_most(sessions, CACHE_MAX, "sessions")?;
        Ok(self)
    }
}

fn at_most(number: u32, most: usize, what: &str) -> Result<usize> {
    match usize::try_from(number) {
        Ok(number) if number <= most => Ok(number),
        _ => Err(Error::new(Code::InvalidArgument, format!("{number} {what}; {most} is the most"))),
    }
}
