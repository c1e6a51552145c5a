//! The log of a context: messages for the operator, to a sink of its own or to the `log` crate.
//!
//! A line never holds a secret or data of a connection.

use std::fmt;
use std::sync::Arc;

/// The importance of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// Something was refused or failed.
    Error = 1,
    /// Something works and should be changed.
    Warn = 2,
    /// A fact worth knowing.
    Info = 3,
}

/// A function that receives lines, on any thread that uses the context.
pub type LogSink = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// The log of a context.
#[derive(Clone, Default)]
pub(crate) struct Log(Option<LogSink>);

impl Log {
    pub(crate) fn new(sink: Option<LogSink>) -> Self {
        Self(sink)
    }

    pub(crate) fn write(&self, level: Level, line: &str) {
        match (&self.0, level) {
            (Some(sink), _) => sink(level, line),
            (None, Level::Error) => log::error!(target: "brokertls", "{line}"),
            (None, Level::Warn) => log::warn!(target: "brokertls", "{line}"),
            (None, Level::Info) => log::info!(target: "brokertls", "{line}"),
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Log(sink)" } else { "Log(log crate)" })
    }
}
