//! The state of a connection: how far it is, which of its directions are open, and why it ended.

use crate::error::{Code, Error, Result};

/// The state, as one value. Each arrow is an [`Event`].
///
/// ```text
///    client that asks first           server, client
///              |                            |
///              v        TaskTaken           v
///            Task ---------------------> Handshake
///              ^                          |     |
///              '--------------------------'     |
///                       TaskNeeded              | HandshakeDone
///                                               v
///                                            Traffic
///
///    in each of them    PeerClosed     the peer has sent close_notify:       reading ends
///                       WriteClosed    this side has closed:                 writing ends
///                       Failed         the first error, kept for good:       both end
/// ```
///
/// A connection keeps its state when both directions have ended without an error. What a record needs after
/// the handshake is in the engine.
#[derive(Debug)]
pub(super) enum State {
    /// The handshake needs records, or has them.
    Handshake(Open),
    /// The handshake needs a task: messages have come that the application must be asked about.
    Task(Open),
    /// The handshake is complete. Application data may move.
    Traffic(Open),
    /// The connection has failed. Facts of the time before stay known.
    Failed(Box<Failed>),
}

/// The directions of a connection that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    Both,
    /// This side has closed.
    Reading,
    /// The peer has closed.
    Writing,
    Neither,
}

/// The kinds of records that have come from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    Nothing,
    /// A record of TLS.
    Record,
    /// Application data.
    Data,
}

/// The end of a connection by an error.
#[derive(Debug)]
pub(super) struct Failed {
    error: Error,
    /// The state before. Never a failure itself.
    before: State,
}

/// An event that changes the state.
#[derive(Debug)]
pub(super) enum Event {
    /// Handshake messages have come that a task must process.
    TaskNeeded,
    /// The task has begun.
    TaskTaken,
    /// The handshake is complete.
    HandshakeDone,
    /// The peer's close_notify has come.
    PeerClosed,
    /// This side has closed.
    WriteClosed,
    /// The connection has failed.
    Failed(Error),
}

impl Event {
    const fn name(&self) -> &'static str {
        match self {
            Self::TaskNeeded => "TaskNeeded",
            Self::TaskTaken => "TaskTaken",
            Self::HandshakeDone => "HandshakeDone",
            Self::PeerClosed => "PeerClosed",
            Self::WriteClosed => "WriteClosed",
            Self::Failed(_) => "Failed",
        }
    }
}

impl Open {
    const fn reads(self) -> bool {
        matches!(self, Self::Both | Self::Reading)
    }

    const fn writes(self) -> bool {
        matches!(self, Self::Both | Self::Writing)
    }

    const fn without_reading(self) -> Self {
        if self.writes() { Self::Writing } else { Self::Neither }
    }

    const fn without_writing(self) -> Self {
        if self.reads() { Self::Reading } else { Self::Neither }
    }
}

impl State {
    /// Returns the state of a new connection.
    pub(super) const fn new(asks_first: bool) -> Self {
        if asks_first { Self::Task(Open::Both) } else { Self::Handshake(Open::Both) }
    }

    /// Changes the state.
    ///
    /// # Errors
    /// `INTERNAL` for an event that the state does not allow; it stays as it was.
    pub(super) fn apply(&mut self, event: Event) -> Result<()> {
        *self = match (&mut *self, event) {
            (Self::Handshake(open), Event::TaskNeeded) => Self::Task(*open),
            (Self::Task(open), Event::TaskTaken) => Self::Handshake(*open),
            (Self::Handshake(open), Event::HandshakeDone) => Self::Traffic(*open),

            (Self::Handshake(open) | Self::Task(open) | Self::Traffic(open), Event::PeerClosed) => {
                *open = open.without_reading();
                return Ok(());
            }
            (Self::Handshake(open) | Self::Task(open) | Self::Traffic(open), Event::WriteClosed) => {
                *open = open.without_writing();
                return Ok(());
            }

            // The first failure counts. A pending task is still taken, and the handshake may have been complete.
            (Self::Failed(_), Event::Failed(_)) => return Ok(()),
            (Self::Failed(failed), event @ (Event::TaskTaken | Event::HandshakeDone)) => {
                return failed.before.apply(event);
            }
            (before, Event::Failed(error)) => {
                let before = std::mem::replace(before, Self::Handshake(Open::Neither));
                Self::Failed(Box::new(Failed { error, before }))
            }

            (state, event) => {
                let detail = format!("{} in the state {}", event.name(), state.name());
                return Err(Error::new(Code::Internal, detail));
            }
        };
        Ok(())
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Handshake(_) => "Handshake",
            Self::Task(_) => "Task",
            Self::Traffic(_) => "Traffic",
            Self::Failed(_) => "Failed",
        }
    }

    /// Returns the error that ended the connection, if one did.
    pub(super) fn failure(&self) -> Option<&Error> {
        match self {
            Self::Failed(failed) => Some(&failed.error),
            _ => None,
        }
    }

    /// Refuses to continue after a failure.
    ///
    /// # Errors
    /// The failure.
    pub(super) fn check(&self) -> Result<()> {
        self.failure().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Returns the state, or that before a failure.
    fn live(&self) -> &Self {
        match self {
            Self::Failed(failed) => &failed.before,
            live => live,
        }
    }

    fn open(&self) -> Open {
        match self.live() {
            Self::Handshake(open) | Self::Task(open) | Self::Traffic(open) => *open,
            Self::Failed(_) => Open::Neither,
        }
    }

    /// Returns true if the handshake was not complete, at the latest before a failure.
    pub(super) fn is_handshaking(&self) -> bool {
        matches!(self.live(), Self::Handshake(_) | Self::Task(_))
    }

    /// Returns true if a task is pending.
    pub(super) fn needs_task(&self) -> bool {
        matches!(self.live(), Self::Task(_))
    }

    /// Returns true if the handshake is complete and nothing has failed.
    pub(super) fn is_traffic(&self) -> bool {
        matches!(self, Self::Traffic(_))
    }

    /// Returns true if the peer's close_notify has come.
    pub(super) fn is_peer_closed(&self) -> bool {
        !self.open().reads()
    }

    /// Returns true if this side has closed.
    pub(super) fn is_write_closed(&self) -> bool {
        !self.open().writes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(events: impl IntoIterator<Item = Event>) -> State {
        let mut state = State::new(false);
        events.into_iter().for_each(|event| state.apply(event).unwrap());
        state
    }

    fn lost() -> Event {
        Event::Failed(Error::from(Code::Truncated))
    }

    #[test]
    fn handshake_with_tasks_ends_in_traffic_that_closes_side_by_side() {
        let mut state = State::new(true);
        assert!(state.needs_task() && state.is_handshaking());
        for event in [Event::TaskTaken, Event::TaskNeeded, Event::TaskTaken, Event::HandshakeDone] {
            state.apply(event).unwrap();
        }
        assert_eq!((state.is_traffic(), state.is_handshaking(), state.needs_task()), (true, false, false));
        state.apply(Event::WriteClosed).unwrap();
        assert!(state.is_write_closed() && !state.is_peer_closed());
        for _ in 0..2 {
            state.apply(Event::PeerClosed).unwrap();
            assert!(state.is_write_closed() && state.is_peer_closed() && state.check().is_ok());
        }
    }

    #[test]
    fn first_failure_is_kept_with_what_was_known_before() {
        let mut state = after([Event::WriteClosed, lost(), Event::Failed(Error::from(Code::Internal))]);
        assert_eq!(state.check().unwrap_err().code(), Code::Truncated);
        assert!(state.is_handshaking() && state.is_write_closed() && !state.is_peer_closed() && !state.needs_task());
        for event in [Event::TaskNeeded, Event::TaskTaken, Event::PeerClosed, Event::WriteClosed] {
            assert_eq!(state.apply(event).unwrap_err().code(), Code::Internal);
        }
        state.apply(Event::HandshakeDone).unwrap();
        assert!(!state.is_handshaking() && !state.is_traffic());
        assert_eq!(state.check().unwrap_err().code(), Code::Truncated);
        let state = after([Event::HandshakeDone, lost()]);
        assert_eq!((state.is_handshaking(), state.is_traffic()), (false, false));
    }

    #[test]
    fn task_that_is_pending_at_the_failure_is_taken_once() {
        let mut state = after([Event::TaskNeeded, lost()]);
        assert!(state.needs_task());
        state.apply(Event::TaskTaken).unwrap();
        assert!(!state.needs_task() && state.is_handshaking() && state.failure().is_some());
        assert_eq!(state.apply(Event::TaskTaken).unwrap_err().code(), Code::Internal);
    }

    #[test]
    fn events_that_a_state_does_not_allow_are_refused_and_change_nothing() {
        let mut handshake = after([]);
        assert_eq!(handshake.apply(Event::TaskTaken).unwrap_err().code(), Code::Internal);
        assert!(handshake.is_handshaking() && !handshake.needs_task());
        let mut task = after([Event::TaskNeeded]);
        for event in [Event::TaskNeeded, Event::HandshakeDone] {
            assert_eq!(task.apply(event).unwrap_err().code(), Code::Internal);
        }
        assert!(task.needs_task());
        let mut traffic = after([Event::HandshakeDone]);
        for event in [Event::TaskNeeded, Event::TaskTaken, Event::HandshakeDone] {
            assert_eq!(traffic.apply(event).unwrap_err().code(), Code::Internal);
        }
        assert!(traffic.is_traffic());
    }
}
