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

/// A line of the log.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LogLine<'a> {
    /// Its importance.
    pub level: Level,
    /// Its text, without a line break at the end.
    pub text: &'a str,
    /// [`crate::Connection::id`], if the line is about one connection.
    pub connection_id: Option<u64>,
}

/// A function that receives lines, on any thread that uses the context.
pub type LogSink = Arc<dyn Fn(&LogLine<'_>) + Send + Sync>;

/// The log of a context.
#[derive(Clone, Default)]
pub(crate) struct Log(Option<LogSink>);

impl Log {
    pub(crate) fn new(sink: Option<LogSink>) -> Self {
        Self(sink)
    }

    pub(crate) fn write(&self, level: Level, line: &str) {
        self.write_line(&LogLine { level, text: line, connection_id: None });
    }

    /// Writes a line about a connection.
    pub(crate) fn write_about(&self, connection_id: u64, level: Level, line: &str) {
        self.write_line(&LogLine { level, text: line, connection_id: Some(connection_id) });
    }

    fn write_line(&self, line: &LogLine<'_>) {
        let text = line.text;
        match (&self.0, line.level) {
            (Some(sink), _) => sink(line),
            (None, Level::Error) => log::error!(target: "brokertls", "{text}"),
            (None, Level::Warn) => log::warn!(target: "brokertls", "{text}"),
            (None, Level::Info) => log::info!(target: "brokertls", "{text}"),
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Log(sink)" } else { "Log(log crate)" })
    }
}
