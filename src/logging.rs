//! Where a context writes what an operator should know: its own sink, or the `log` crate.
//!
//! No secrets and no data of the connection's user are ever written.

use std::fmt;
use std::sync::Arc;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// Something was refused or failed.
    Error = 1,
    /// Something works and should not stay so.
    Warn = 2,
    /// Something worth knowing.
    Info = 3,
}

/// Receives lines; called from any thread that uses the context.
pub type LogSink = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// A context's log.
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
